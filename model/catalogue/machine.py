"""Codes of what the machine, the engine or a running sandbox stands against."""

from jailoc.model.catalogue.entry import Entry

MACHINE: dict[str, Entry] = {
    "allow-unknown": Entry(
        "`jailoc allow --remove` names what the workspace's own list does not have.",
        "Name an entry that the message lists, as it stands there; edit [defaults] by hand.",
    ),
    "apply": Entry(
        "After it was applied, the workspace still has something to change, again and again.",
        "Look at `jailoc plan`: something beside jailoc changes it, too.",
    ),
    "client": Entry(
        "The agent's client ended with an error.",
        "Its own words stand above; `jailoc logs` has the server's.",
    ),
    "client-missing": Entry(
        "No client of the agent is on the PATH, of this machine or of the image.",
        "Install it there, or attach with the other one: --exec or --remote.",
    ),
    "compose-missing": Entry(
        "`docker compose` is not installed.",
        "Install the Compose plugin of Docker, 2.20 or newer.",
    ),
    "compose-old": Entry(
        "Docker Compose is older than 2.20.",
        "Install a newer one.",
    ),
    "config-exists": Entry(
        "`jailoc init` would overwrite a configuration.",
        "Edit that file, or give another place with --config.",
    ),
    "config-file": Entry(
        "The configuration file cannot be read.",
        "Check the path and its permissions; `jailoc init` writes a first one.",
    ),
    "credential-value": Entry(
        "A credential cannot be read from its source, or cannot stand in a header.",
        "Set the variable, or correct the file or command: one line of at most 8 KiB.",
    ),
    "defect": Entry(
        "jailoc itself is wrong; a document that its own schema refuses is never written.",
        "Report it. JAILOC_TRACEBACK=1 shows where it happened.",
    ),
    "detached": Entry(
        "The sandbox ended or was restarted while a client was attached.",
        "The session is kept: run `jailoc` again, or look at `jailoc logs`.",
    ),
    "diff": Entry(
        "One of the two configurations to compare cannot be had.",
        "Name a file, a directory that holds one, a Git revision that is fetched, or "
        "REVISION:FILE.",
    ),
    "dind-engine": Entry(
        "The agent's own Docker cannot run on this kind of engine.",
        "Set `enable_docker = false`, or use an engine that runs as root.",
    ),
    "directory": Entry(
        "The directory that was named is not there, or is none.",
        "Name a directory.",
    ),
    "docker": Entry(
        "A call of `docker` failed.",
        "Its own words stand above; the log of jailoc has the whole call.",
    ),
    "docker-context": Entry(
        "The chosen Docker context is not there, or names no engine.",
        "Look at `docker context ls`, or set DOCKER_HOST.",
    ),
    "docker-missing": Entry(
        "The `docker` command is not installed or not on PATH.",
        "Install Docker with its Compose plugin.",
    ),
    "edit": Entry(
        "The configuration is written in a way in which jailoc cannot change it safely.",
        "Edit it by hand.",
    ),
    "engine": Entry(
        "No engine answers, or it does not say its version.",
        "Start Docker, or set DOCKER_HOST to the engine to use; `jailoc doctor` says more.",
    ),
    "engine-client": Entry(
        "The `docker` command and the engine are of versions too far apart.",
        "Install a `docker` command of the engine's own version.",
    ),
    "engine-old": Entry(
        "The engine is older than Docker Engine 20.10.",
        "Install a newer one.",
    ),
    "engine-other": Entry(
        "The workspace's agent runs on another engine of this machine, in the same files.",
        "Stop it there, as the message says, or set DOCKER_HOST to that engine.",
    ),
    "engine-podman": Entry(
        "The engine is Podman, at an address where it was not known to be.",
        "Set DOCKER_HOST to its own socket on this machine.",
    ),
    "engine-users": Entry(
        "The engine shifts user ids (`userns-remap`), and what it mounts belongs to another root "
        "than the sandbox's.",
        "Use an engine without it; one without root keeps ids apart as well.",
    ),
    "evidence": Entry(
        "What a wall has seen is not there or cannot be read: it is torn, of another version or "
        "of another workspace, or the kernel does not tell of connections.",
        "Restart a workspace that an earlier jailoc has started; export the file anew.",
    ),
    "exposed": Entry(
        "Another user of this machine can exchange the files that decide what the engine runs.",
        "Keep them where you alone can write: `XDG_CACHE_HOME`, `XDG_DATA_HOME`, `chmod o-w`.",
    ),
    "exposed-config": Entry(
        "Another user of this machine can change the configuration.",
        "Take that right away (`chmod o-w`), or keep it in a directory of yours.",
    ),
    "feigned": Entry(
        "A container says by the labels of its image that it is one of the workspace's.",
        "Remove it, or run it with `--label com.docker.compose.project=`.",
    ),
    "fetch": Entry(
        "A Dockerfile could not be fetched from its URL.",
        "Check the URL and the proxy variables; it answers 200 with UTF-8 text of at most 1 MiB.",
    ),
    "folder-link": Entry(
        "A directory below which files were to be written is a symbolic link.",
        "Remove the link, or name the directory that it leads to.",
    ),
    "foreign": Entry(
        "The containers or volumes of this workspace's name were made by somebody else.",
        "Give yours another name: one user of an engine can have it; or whoever made them removes "
        "them.",
    ),
    "golden": Entry(
        "The generated files cannot be compared or written: no directory, no configuration, a "
        "symbolic link, or nobody who would review them.",
        "Do as the hint of the message says.",
    ),
    "halted": Entry(
        "The workspace's agent is halted (`jailoc pause`, an undo, `docker pause`).",
        "Wait for the process that the message names; where it names none, run `jailoc up`.",
    ),
    "home": Entry(
        "The home directory is unknown, or a directory of jailoc's own cannot be written.",
        "Set HOME, or the variable that the message names, to a directory that you can write.",
    ),
    "home-link": Entry(
        "A link in the home directory leads from what its owner executes to where an agent can "
        "write.",
        "Put a copy in the place of the link, or name it in `trust`.",
    ),
    "image-base": Entry(
        "The image on which one is built is not there and cannot be pulled.",
        "Check its name, the network and `docker login`.",
    ),
    "image-build": Entry(
        "A step of a Dockerfile failed; file and line are those of the step.",
        "The words of the build stand above. Mend the step.",
    ),
    "image-missing": Entry(
        "An image is not there and cannot be pulled.",
        "Check its name, the network and `docker login`; `jailoc up` builds jailoc's own.",
    ),
    "image-push": Entry(
        "The registry does not take an image, or did not say under which digest it has it.",
        "Check `registry` of `[kubernetes]`, the network and `docker login`.",
    ),
    "image-unsuitable": Entry(
        "The image lacks what the agent needs.",
        "Install what the message lists, or choose another image.",
    ),
    "import": Entry(
        "The configuration of a package client on this machine names nothing that it fetches from.",
        "Write the set by hand; the hint says where the client tells its default.",
    ),
    "import-full": Entry(
        "The volume to import into has sessions of its own, which would be lost.",
        "Sessions are not merged: keep one of the two.",
    ),
    "import-none": Entry(
        "There is nothing to import: no earlier version, no volume of it, or no sessions in it.",
        "Nothing is lost; begin with the new version, or copy files from a mount yourself.",
    ),
    "leases": Entry(
        "Programs of a sandbox hold leases on files (fcntl(2)), so whoever opens one waits.",
        "Stop the sandbox, then run the command again.",
    ),
    "locked": Entry(
        "Another jailoc is working on the same thing.",
        "Wait until it has finished, then run the command again.",
    ),
    "mount-swapped": Entry(
        "Between the check and the start something else was put in the place of a mount.",
        "Look at what lies there now and who can write there; then try again.",
    ),
    "moved": Entry(
        "What was agreed to is no longer what would be done.",
        "Look at a new plan, and agree to that.",
    ),
    "network-mtu": Entry(
        "The engine cannot make a network with this size of packets.",
        "Choose another `mtu`, or leave it out.",
    ),
    "network-overlap": Entry(
        "Another network of the engine has addresses of this one.",
        "Choose another `subnet`; `docker network ls` shows what there is.",
    ),
    "network-pools": Entry(
        "The engine has no network left to give out.",
        "Choose a `subnet`, or remove unused ones: `docker network prune`.",
    ),
    "not-ready": Entry(
        "The sandbox did not come up: a container ended, is unwell, or took too long.",
        "Look at `jailoc logs`; `jailoc doctor` looks at the machine.",
    ),
    "not-running": Entry(
        "The workspace is not running.",
        "Run `jailoc up`.",
    ),
    "outdated": Entry(
        "What runs was made from an earlier configuration, with another agent or password.",
        "`jailoc plan` shows what changes, `jailoc up` does it.",
    ),
    "password": Entry(
        "The server's password cannot be had from where `password_mode` says.",
        "Unlock the keyring, set the variable, or choose another mode.",
    ),
    "plan": Entry(
        "A plan was to be kept, and no engine was there to make one.",
        "Start an engine, or leave --out out.",
    ),
    "plan-address": Entry(
        "This is no address that a plan has.",
        "Copy one from `jailoc plan`.",
    ),
    "plan-file": Entry(
        "The file of a plan is none, changed, or of another version of jailoc.",
        "Make a new one: `jailoc plan --out FILE`.",
    ),
    "port-closed": Entry(
        "The workspace's port is not exposed, so that no client of this machine reaches it.",
        "Leave --remote out, or set `expose_port = true`.",
    ),
    "port-inside": Entry(
        "The port of the agent's server is held by something in the sandbox.",
        "Do as the hint of the message says.",
    ),
    "port-taken": Entry(
        "A port of this machine is taken by another program or workspace.",
        "Stop it, set another `port`, or set `expose_port = false`.",
    ),
    "portable": Entry(
        "What is rendered names a home directory, which others do not have.",
        "Write it with ~, or render with --native for this machine alone.",
    ),
    "proof": Entry(
        "The sandbox was started and is not as its configuration says.",
        "Look at the logs; `jailoc verify` looks closer.",
    ),
    "prune": Entry(
        "--prune was given for a workspace that is in the configuration.",
        "`jailoc destroy` removes all that there is of one.",
    ),
    "pty": Entry(
        "The system has no pseudo-terminal to give.",
        "Use --exec.",
    ),
    "repository": Entry(
        "A directory of Git that must be there, lest the agent makes it, cannot be made.",
        "Look at what lies on the way, and to whom it belongs.",
    ),
    "running": Entry(
        "The workspace runs, and would write while its sessions are copied.",
        "Run `jailoc down` first.",
    ),
    "schema": Entry(
        "There is no schema of this name.",
        "The message lists those that there are.",
    ),
    "secret-value": Entry(
        "A secret cannot be read from its source, or all together are too large.",
        "Set the variable or correct the file; 16 MiB in all.",
    ),
    "service-unknown": Entry(
        "The workspace has no such service, or it has not started.",
        "The message lists those that it has.",
    ),
    "service-writes": Entry(
        "The image of a service declares a place as `VOLUME` that the service does not name, so "
        "the engine would give it a volume without a name or a bound.",
        "Name the place in `volumes` of the service, or in `tmpfs`.",
    ),
    "snapshot-path": Entry(
        "A path of the workspace is no directory, or what an undo was asked for lies in none.",
        "Name a place in a workspace path; `jailoc undo` makes a path anew that is gone.",
    ),
    "snapshot-size": Entry(
        "The snapshots of a workspace would take more than its `size`.",
        "Raise `size` in [workspaces.NAME.snapshots], or leave something out.",
    ),
    "snapshot-store": Entry(
        "The snapshots of a workspace cannot be read or written: restic says why.",
        "Make room on the disk; move a store away that is damaged or another version's.",
    ),
    "state-newer": Entry(
        "A newer jailoc has started what runs, and this one cannot read what it wrote down of it.",
        "Use the newer one, or begin anew: `jailoc destroy --keep-volumes`, then `jailoc up`.",
    ),
    "system": Entry(
        "The operating system refused something: a file, a disk, a permission.",
        "The message has its own words, and the file.",
    ),
    "task-clone": Entry(
        "Git cannot read the clone of a task, or it holds no commit of its branch.",
        "Look inside with `jailoc shell WORKSPACE/TASK`; its agent may have done it.",
    ),
    "task-command": Entry(
        "The command is about the configuration of a workspace, and a task was named.",
        "Name the workspace.",
    ),
    "task-exists": Entry(
        "A task of this name is there, or its volume, or a workspace that is to go has tasks.",
        "Give another name; `jailoc task rm` removes one.",
    ),
    "task-fetch": Entry(
        "What a task's clone sent is not what Git may take in, or is too much of it.",
        "The message says what was refused; nothing of it is in the repository.",
    ),
    "task-many": Entry(
        "A workspace has as many tasks as it may have, or no port is left for one more.",
        "Remove one, or raise `limit` or `ports` in its table `tasks`.",
    ),
    "task-memory": Entry(
        "The tasks that run could use more memory together than they may.",
        "Stop one, or raise `memory` in the table `tasks` of the workspace.",
    ),
    "task-name": Entry(
        "A task cannot be called so.",
        "Take a-z, 0-9 and hyphens.",
    ),
    "task-repository": Entry(
        "What a task would be a clone of is no repository that can be cloned.",
        "The message says what is in its way.",
    ),
    "task-unfetched": Entry(
        "A task that is to go has work that did not come home.",
        "`jailoc task fetch` brings commits home; --force removes them with the task.",
    ),
    "task-unknown": Entry(
        "A workspace has no task of this name.",
        "`jailoc task list` shows those that there are.",
    ),
    "terminal": Entry(
        "The client in the sandbox needs a terminal, and standard input is none.",
        "Run it in a terminal.",
    ),
    "unconfirmed": Entry(
        "Something asks for agreement, and nobody can answer.",
        "Run it in a terminal, or give --yes.",
    ),
    "undo-failed": Entry(
        "Something could not be restored; what has begun is written down.",
        "Take away what the message names, then run `jailoc undo --continue`.",
    ),
    "undo-nothing": Entry(
        "There is no such snapshot, or nothing to go on with.",
        "`jailoc snapshot list` shows those that there are.",
    ),
    "undo-shared": Entry(
        "An agent of another workspace runs and can write what an undo would return.",
        "Run `jailoc down` for that workspace, then undo again.",
    ),
    "undo-unfinished": Entry(
        "An undo has begun and was interrupted; nothing starts the workspace until it is finished.",
        "Run `jailoc undo --continue`.",
    ),
    "unseen": Entry(
        "It cannot be told whether there is something to do, for something was not looked at.",
        "Start Docker, or set DOCKER_HOST to the engine to use.",
    ),
    "usage": Entry(
        "The command line cannot be read.",
        "`jailoc COMMAND --help` shows what a command takes.",
    ),
    "workspace-unknown": Entry(
        "There is no workspace of this name, or none for the current directory.",
        "Name one that the message lists, or write [workspaces.NAME].",
    ),
}
