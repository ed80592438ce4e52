"""The system calls that programs without a capability need, by what they are about.

What is not here is about the machine as a whole, makes namespaces or mounts, reads keyrings, or has
been part of escapes (syscalls(2)). It is what the engine allows whoever has no capability
(https://docs.docker.com/engine/security/seccomp/), less io_uring(7), whose memory no limit of a
container counts and which holds off the end of its process, less asynchronous I/O, which goes on
while a process is halted, and less fanotify and secret memory.
What is allowed with some arguments only, such as fcntl(2), ioctl(2) and socket(2), is not here.
"""

FILES = """
    access close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fadvise64_64 arm_fadvise64_64 fallocate fdatasync flock fsync ftruncate
    ftruncate64 getcwd getdents getdents64 link linkat _llseek lseek mkdir mkdirat mknod
    mknodat name_to_handle_at open openat openat2 chdir fchdir pread64 preadv preadv2 pwrite64
    pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir
    sendfile sendfile64 splice symlink symlinkat sync sync_file_range sync_file_range2
    arm_sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat vmsplice write writev
    cachestat
"""
ATTRIBUTES = """
    chmod chown chown32 fchmod fchmodat fchmodat2 fchown fchown32 fchownat fgetxattr flistxattr
    fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 futimesat getxattr getxattrat
    lchown lchown32 lgetxattr listxattr listxattrat llistxattr lremovexattr lsetxattr lstat lstat64
    newfstatat removexattr removexattrat setxattr setxattrat stat stat64 statfs statfs64 statx
    utime utimensat utimensat_time64 utimes
"""
EVENTS = """
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
    epoll_wait_old eventfd eventfd2 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
    _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
"""
PROCESSES = """
    alarm arch_prctl capget capset execve execveat exit exit_group fork get_robust_list
    get_thread_area getcpu getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32
    getitimer getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid
    getresuid32 getrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill
    landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pause pidfd_open
    pidfd_send_signal prctl prlimit64 process_mrelease process_vm_readv process_vm_writev ptrace
    restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area
    set_tid_address set_tls setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
    setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 sigaltstack sigprocmask
    sigreturn sysinfo tgkill times tkill ugetrlimit uname vfork wait4 waitid waitpid swapcontext
"""
MEMORY = """
    brk cacheflush futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake madvise
    map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mmap2 mprotect
    mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
    remap_file_pages breakpoint riscv_flush_icache riscv_hwprobe
"""
TIME = """
    adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 getrandom gettimeofday nanosleep time
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64
"""
MESSAGES = """
    accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr
    mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
    mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    semctl semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat
    shmctl shmdt shmget shutdown
"""

CALLS = tuple(
    sorted(
        {
            name
            for group in (FILES, ATTRIBUTES, EVENTS, PROCESSES, MEMORY, TIME, MESSAGES)
            for name in group.split()
        }
    )
)
"""All of them. Some are of one architecture only; an engine passes over what it does not know."""
