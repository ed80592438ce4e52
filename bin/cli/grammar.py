"""What commands take, as a table: made from the declarations, never by hand.

After a change of theirs: `pytest tests/bin/cli/test_grammar.py --update-golden`.
"""

# A line is as long as what it holds.
# ruff: noqa: E501
# fmt: off
from typing import Any

COMMANDS: dict[tuple[str, ...], Any] = {
    (): {
        'text': 'Sandboxes for headless OpenCode agents, compiled from one configuration file.',
        'below': ('acp', 'add', 'allow', 'apply', 'blocked', 'completion', 'config', 'destroy', 'diff', 'doctor', 'down', 'exec', 'explain', 'golden', 'graph', 'help', 'images', 'import-sessions', 'init', 'learn', 'logs', 'outdated', 'pause', 'plan', 'presets', 'refresh', 'render', 'restart', 'schema', 'secrets', 'shell', 'snapshot', 'status', 'task', 'undo', 'up', 'validate', 'verify'),
        'runs': True,
        'arguments': (
            {'field': 'path', 'names': ('PATH',), 'kind': 'text', 'help': "The directory; the current one by default. What is no command's name is a path."},
            {'field': 'directory', 'names': ('--dir',), 'kind': 'text', 'help': 'The directory, as an option.'},
            {'field': 'session', 'names': ('--session', '-s'), 'kind': 'text', 'help': 'Open this session.'},
            {'field': 'resume', 'names': ('--continue', '-c'), 'kind': 'bool', 'help': 'Open the last session.'},
            {'field': 'remote', 'names': ('--remote',), 'kind': 'bool', 'help': "Use the host's OpenCode."},
            {'field': 'exec', 'names': ('--exec',), 'kind': 'bool', 'help': 'Use the OpenCode in the sandbox.'},
        ),
    },
    ('acp',): {
        'text': 'Speak the Agent Client Protocol with an editor, for the agent of a running sandbox.\n\nAn editor starts it; it filters what the agent asks of the editor. See docs/how-to.\n\nExample: jailoc acp ~/src/api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'path', 'names': ('PATH',), 'kind': 'text', 'help': 'The directory whose workspace is meant; the current one by default.'},
        ),
    },
    ('add',): {
        'text': 'Add a directory to a workspace; a running one gets it at once, and its agent begins anew.\n\nExample: jailoc add ~/src/api --workspace api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'directory', 'names': ('DIRECTORY',), 'kind': 'text', 'help': 'The directory; the current one by default.'},
        ),
    },
    ('allow',): {
        'text': 'Let a workspace reach a host, a network or a set of hosts, on every port or on one.\n\nExample: jailoc allow git.example.com:22 --workspace api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'target', 'names': ('TARGET',), 'kind': 'text', 'help': 'HOST, *.HOST, ADDRESS or ADDRESS/LENGTH, each with :PORT or without; or @SET.', 'required': True},
            {'field': 'why', 'names': ('--why',), 'kind': 'text', 'help': 'A reason, for those who read the configuration.'},
            {'field': 'until', 'names': ('--until',), 'kind': 'date', 'help': 'The last day (UTC) on which it is open, such as 2027-01-31.'},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask before what is critical, such as a private network as a whole.'},
            {'field': 'remove', 'names': ('--remove',), 'kind': 'bool', 'help': 'Remove the entry, whether an `allow` wrote it or you did.'},
        ),
    },
    ('apply',): {
        'text': 'Show the plan, ask, and do just that; a failure returns to what was there before.\n\nExample: jailoc apply --all --yes',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspaces', 'names': ('WORKSPACES',), 'kind': 'text', 'help': 'Workspaces, or the file of a plan that was kept; that of the current directory by default.', 'many': True},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace, every task that runs, and those that left the configuration.'},
            {'field': 'prune', 'names': ('--prune',), 'kind': 'bool', 'help': 'Remove the volumes, the images and the password of those that left it, too.'},
            {'field': 'ignore', 'names': ('--ignore',), 'kind': 'text', 'help': 'Address of drift that is noise, such as service.opencode.memory; may be repeated.', 'many': True},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask.'},
            {'field': 'rollback', 'names': ('--rollback', '--no-rollback'), 'kind': 'bool', 'help': 'Leave things as a failure has left them; without it, what was there before comes back.', 'on': True},
            {'field': 'target', 'names': ('--target',), 'kind': 'text', 'help': 'Apply to the cluster that [kubernetes] names, through kubectl.', 'choices': ('kubernetes',)},
        ),
    },
    ('blocked',): {
        'text': 'Show what a running workspace was refused, how often, when last, and what would open it.\n\nExample: jailoc blocked api --follow',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'follow', 'names': ('--follow', '-f'), 'kind': 'bool', 'help': 'Go on, and show what is refused from now on, until interrupted.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON; with --follow one object a line.'},
        ),
    },
    ('completion',): {
        'text': 'Print the script by which a shell completes commands, options and workspaces.\n\nExample: source <(jailoc completion bash)',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'shell', 'names': ('SHELL',), 'kind': 'text', 'help': 'The shell.', 'choices': ('bash', 'zsh', 'fish'), 'required': True},
        ),
    },
    ('config',): {
        'text': 'Show what is in effect after merging, each value with the entry it came from.\n\nExample: jailoc config api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace to show; all by default.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('destroy',): {
        'text': 'Remove all that there is of a workspace, after listing it and asking.\n\nIts containers, network, volumes, images that only it used, password and generated files go; the\nconfiguration and your own directories stay.\n\nExample: jailoc destroy api --keep-volumes',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspaces', 'names': ('WORKSPACES',), 'kind': 'text', 'help': 'Workspaces, also such as left the configuration; that of the current directory by default.', 'many': True},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace and task, and those that left the configuration.'},
            {'field': 'keep_volumes', 'names': ('--keep-volumes',), 'kind': 'bool', 'help': 'Leave the volumes: what its agent has kept.'},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write the list as JSON; without --yes nothing is removed.'},
        ),
    },
    ('diff',): {
        'text': 'Say what one configuration newly makes possible, compared with another; no engine is asked.\n\nExample: jailoc diff origin/main --config sandboxes/config.toml --fail-on high',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'base', 'names': ('BASE',), 'kind': 'text', 'help': 'A file, a directory that holds one, a Git revision, or REVISION:FILE.', 'required': True},
            {'field': 'head', 'names': ('HEAD',), 'kind': 'text', 'help': 'The same; by default the configuration file.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
            {'field': 'markdown', 'names': ('--markdown',), 'kind': 'bool', 'help': 'Write Markdown, for a comment on a pull request.'},
            {'field': 'sarif', 'names': ('--sarif',), 'kind': 'bool', 'help': 'Write SARIF, which forges show at the changed line.'},
            {'field': 'fail_on', 'names': ('--fail-on',), 'kind': 'text', 'help': 'Exit with 2 if something of this rank or a graver one is newly possible.', 'choices': ('critical', 'high', 'medium', 'low', 'any')},
            {'field': 'policy', 'names': ('--policy',), 'kind': 'text', 'help': 'A policy that holds beside those of this machine: a file, or REVISION:FILE.'},
        ),
    },
    ('doctor',): {
        'text': 'Look at all that a sandbox needs of this machine, and say what mends what is wrong.\n\nIt works without an engine and without a valid configuration, writes nothing, and ends with 1\nif something keeps sandboxes from working.\n\nExample: jailoc doctor',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
            {'field': 'for_others', 'names': ('--report',), 'kind': 'bool', 'help': 'Write Markdown to paste into a bug report: no path, name, value or credential of yours.'},
        ),
    },
    ('down',): {
        'text': 'Stop a workspace: its containers and network go, its volumes stay unless named.\n\nExample: jailoc down api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace and task, and those that left the configuration.'},
            {'field': 'volumes', 'names': ('--volumes',), 'kind': 'bool', 'help': 'Remove its volumes, too: what its agent has kept is lost.'},
            {'field': 'target', 'names': ('--target',), 'kind': 'text', 'help': 'Remove it from the cluster that [kubernetes] names, after listing what goes and asking.', 'choices': ('kubernetes',)},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask; without --target nobody is asked.'},
        ),
    },
    ('exec',): {
        'text': 'Run a command in a running sandbox as its agent, and pass its exit status on.\n\nWhat it leaves in the background ends with it.\n\nExample: jailoc exec api -- npm test',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'command', 'names': ('COMMAND',), 'kind': 'text', 'help': 'After --, the command and its own arguments.', 'many': True},
        ),
    },
    ('explain',): {
        'text': 'Say whether a host, address or network is open, by which rule and from which line.\n\nThe code of a message, such as mount-host, is explained instead where no workspace is named.\n\nExample: jailoc explain api 10.1.2.3:5432',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; left out, it is the one of the current directory.'},
            {'field': 'target', 'names': ('TARGET',), 'kind': 'text', 'help': 'HOST, ADDRESS or NETWORK, with :PORT or without; :PORT, what leads in there; or a code.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('golden',): {
        'text': 'Keep generated files under review, such as in a repository.\n\nExample: jailoc golden check sandboxes/generated',
        'below': ('check', 'update'),
        'runs': False,
        'arguments': (
        ),
    },
    ('golden', 'check'): {
        'text': 'Compare committed files with what the configuration becomes; exit status 2 if they differ.\n\nSays first what the sandboxes may do that they could not, the gravest first.\n\nExample: jailoc golden check sandboxes/generated --config sandboxes/config.toml',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'directory', 'names': ('DIRECTORY',), 'kind': 'text', 'help': 'Where `golden update` has written them.', 'required': True},
            {'field': 'diff', 'names': ('--diff',), 'kind': 'bool', 'help': 'Show the difference of every file, too.'},
            {'field': 'files', 'names': ('--files',), 'kind': 'bool', 'help': 'Name the files and values that differ.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
            {'field': 'markdown', 'names': ('--markdown',), 'kind': 'bool', 'help': 'Write Markdown, for a comment on a pull request.'},
        ),
    },
    ('golden', 'update'): {
        'text': 'Make committed files what the configuration becomes, and say what that changes.\n\nExample: jailoc golden update sandboxes/generated --config sandboxes/config.toml',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'directory', 'names': ('DIRECTORY',), 'kind': 'text', 'help': 'Where they are, one folder a workspace; it is made where it is missing.', 'required': True},
            {'field': 'force', 'names': ('--force',), 'kind': 'bool', 'help': 'Do it although CI is set, where nobody reviews the difference.'},
        ),
    },
    ('graph',): {
        'text': 'Draw who may reach what and which paths are mounted how, as it is compiled now.\n\nExample: jailoc graph api --format svg > api.svg',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'format', 'names': ('--format',), 'kind': 'text', 'help': 'A Mermaid flowchart for Markdown, an SVG picture, or text; text on a terminal, else Mermaid.', 'choices': ('mermaid', 'svg', 'terminal')},
        ),
    },
    ('help',): {
        'text': 'Show what jailoc can do, or how a command is used.\n\nExample: jailoc help up',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'command', 'names': ('COMMAND',), 'kind': 'text', 'help': 'The command; all by default.', 'many': True},
        ),
    },
    ('images',): {
        'text': 'Build the images of workspaces for a cluster, and write down their digests.\n\nExample: jailoc images build --push',
        'below': ('build',),
        'runs': False,
        'arguments': (
        ),
    },
    ('images', 'build'): {
        'text': 'Build the images that a cluster runs; pushed ones are named in images.lock by their digests.\n\nExample: jailoc images build --push',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspaces', 'names': ('WORKSPACES',), 'kind': 'text', 'help': 'Workspaces whose images are built; all by default.', 'many': True},
            {'field': 'push', 'names': ('--push',), 'kind': 'bool', 'help': 'Push them to the registry of [kubernetes], and write images.lock beside the configuration.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write their tags as JSON.'},
        ),
    },
    ('import-sessions',): {
        'text': "Copy the sessions of the agent's earlier major version to where the present one looks.\n\nThe workspace has to be stopped, and the present version must have none yet. What is copied\nstays where it was.\n\nExample: jailoc import-sessions api",
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'yes', 'names': ('--yes',), 'kind': 'bool', 'help': 'Do not ask.'},
        ),
    },
    ('init',): {
        'text': 'Write a commented starter configuration; one that is there stays as it is.\n\nExample: jailoc init --here',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'here', 'names': ('--here',), 'kind': 'bool', 'help': 'Make a workspace for the current directory, and call it like that; one more where there is a\nconfiguration.'},
        ),
    },
    ('learn',): {
        'text': 'Propose what to write from what was seen: an allowlist, or what can go.\n\nExample: jailoc learn api --out allowlist.patch',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'start', 'names': ('--start',), 'kind': 'bool', 'help': 'Write `observe = true` into the configuration, and begin to look.'},
            {'field': 'unused', 'names': ('--unused',), 'kind': 'bool', 'help': 'Name the entries that were never used, and propose their removal.'},
            {'field': 'days', 'names': ('--days',), 'kind': 'float', 'help': 'With --unused: days that have to be watched before an entry counts as unused (7).'},
            {'field': 'exact', 'names': ('--exact',), 'kind': 'bool', 'help': 'Propose every name by itself, and no wildcard.'},
            {'field': 'addresses', 'names': ('--addresses',), 'kind': 'bool', 'help': 'Propose addresses that no name led to, too.'},
            {'field': 'apply', 'names': ('--apply',), 'kind': 'bool', 'help': 'Write the change after asking; a running workspace has it at once.'},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask.'},
            {'field': 'out', 'names': ('--out',), 'kind': 'text', 'help': 'Write the change as a patch into this file.'},
            {'field': 'export', 'names': ('--export',), 'kind': 'text', 'help': 'Write what was seen into this file, and nothing else.'},
            {'field': 'evidence', 'names': ('--from',), 'kind': 'text', 'help': 'A file that --export wrote, instead of the running workspace; may be repeated.', 'many': True},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('logs',): {
        'text': 'Show what the containers of a workspace wrote, each line with its service.\n\nExample: jailoc logs api --follow --tail 20',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'follow', 'names': ('--follow', '-f'), 'kind': 'bool', 'help': 'Go on until interrupted.'},
            {'field': 'tail', 'names': ('--tail',), 'kind': 'int', 'help': 'Number of lines of each service to begin with; all by default.'},
            {'field': 'since', 'names': ('--since',), 'kind': 'text', 'help': 'Only what is younger: a time such as 2027-01-31T09:00:00, or an age such as 10m.'},
            {'field': 'service', 'names': ('--service',), 'kind': 'text', 'help': 'Only this service: firewall, opencode, dind, or one beside the agent.'},
            {'field': 'raw', 'names': ('--raw',), 'kind': 'bool', 'help': 'Every byte as it was written; such lines can steer a terminal.'},
        ),
    },
    ('outdated',): {
        'text': 'Ask the registry which newer versions of the agents there are.\n\nNothing is changed. An image that jailoc has built asks, as its build did.\n\nExample: jailoc outdated',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; all of them by default.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('pause',): {
        'text': 'Run a command of this machine while the agent is halted, and pass its exit status on.\n\nExample: jailoc pause -- git checkout main',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'command', 'names': ('COMMAND',), 'kind': 'text', 'help': 'After --, the command and its own arguments.', 'many': True},
        ),
    },
    ('plan',): {
        'text': 'Show what apply would change, what that opens, and what has drifted; change nothing.\n\nExample: jailoc plan api --out api.plan',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspaces', 'names': ('WORKSPACES',), 'kind': 'text', 'help': 'Workspaces to look at; that of the current directory by default.', 'many': True},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace, every task that runs, and those that left the configuration.'},
            {'field': 'prune', 'names': ('--prune',), 'kind': 'bool', 'help': 'Remove the volumes, the images and the password of those that left it, too.'},
            {'field': 'ignore', 'names': ('--ignore',), 'kind': 'text', 'help': 'Address of drift that is noise, such as service.opencode.memory; may be repeated.', 'many': True},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
            {'field': 'markdown', 'names': ('--markdown',), 'kind': 'bool', 'help': 'Write Markdown, for a comment.'},
            {'field': 'detailed_exitcode', 'names': ('--detailed-exitcode',), 'kind': 'bool', 'help': 'Exit with 2 if there is something to do.'},
            {'field': 'files', 'names': ('--files',), 'kind': 'bool', 'help': 'Name each file that changes, with its digest.'},
            {'field': 'out', 'names': ('--out',), 'kind': 'text', 'help': 'Keep the plan in a file that apply takes.'},
            {'field': 'target', 'names': ('--target',), 'kind': 'text', 'help': 'Compare with the cluster that [kubernetes] names, through kubectl.', 'choices': ('kubernetes',)},
        ),
    },
    ('presets',): {
        'text': 'Show the sets of hosts that `allow` can name; read one from a package client.\n\nExample: jailoc presets list',
        'below': ('import', 'list', 'show'),
        'runs': False,
        'arguments': (
        ),
    },
    ('presets', 'import'): {
        'text': "Write the registries of a package client's own configuration as a set, after showing it.\n\nExample: jailoc presets import npm",
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'client', 'names': ('CLIENT',), 'kind': 'text', 'help': 'The client, whose configuration on this machine is read.', 'choices': ('npm', 'pip', 'apt', 'cargo'), 'required': True},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask.'},
        ),
    },
    ('presets', 'list'): {
        'text': 'List the sets of hosts that are shipped, and those of the configuration.\n\nExample: jailoc presets list',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('presets', 'show'): {
        'text': 'Show the hosts of a set, why they are in it, and where that is publicly said.\n\nExample: jailoc presets show github',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The set, with or without the @.', 'required': True},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('refresh',): {
        'text': 'Reload the firewall of a running workspace, names looked up anew; nothing is restarted.\n\nExample: jailoc refresh api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
        ),
    },
    ('render',): {
        'text': 'Write the generated files, without an engine and without changing anything else.\n\nIn a directory they are the same for everybody who has the configuration; printed, or with\n--native, they are those of this machine.\n\nExample: jailoc render --out build',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspaces', 'names': ('WORKSPACES',), 'kind': 'text', 'help': 'Workspaces to render; all by default.', 'many': True},
            {'field': 'out', 'names': ('--out',), 'kind': 'text', 'help': 'Directory to write to, one folder a workspace; standard output by default.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write one JSON document instead.'},
            {'field': 'native', 'names': ('--native',), 'kind': 'bool', 'help': "Write this machine's own files to the directory."},
            {'field': 'target', 'names': ('--target',), 'kind': 'text', 'help': 'Write the objects of a Kubernetes cluster instead, as [kubernetes] names one.', 'choices': ('kubernetes',)},
        ),
    },
    ('restart',): {
        'text': 'Stop a workspace and start it again; it is checked and built before it is stopped.\n\nExample: jailoc restart api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace and task that runs, one after the other.'},
        ),
    },
    ('schema',): {
        'text': 'Print a JSON Schema by its name, such as config or compose; a wrong name shows them all.\n\nExample: jailoc schema config > jailoc.schema.json',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The schema; that of the configuration by default.'},
        ),
    },
    ('secrets',): {
        'text': "Write a workspace's secrets as a Secret for a cluster, to a pipe and to nothing else.\n\nExample: jailoc secrets api --target kubernetes | kubectl --context team apply -f -",
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'target', 'names': ('--target',), 'kind': 'text', 'help': 'What they are for.', 'choices': ('kubernetes',), 'required': True},
        ),
    },
    ('shell',): {
        'text': 'Open a shell in a running sandbox as its agent, with its secrets.\n\nExample: jailoc shell api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
        ),
    },
    ('snapshot',): {
        'text': "Keep what a workspace's paths hold now, so that `undo` can return to it.\n\nIgnored files are kept, too. How many are kept, how long, and what is left out stands in\n[workspaces.NAME.snapshots].\n\nExample: jailoc snapshot api",
        'below': ('list',),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
        ),
    },
    ('snapshot', 'list'): {
        'text': 'List the snapshots of a workspace, the newest last.\n\nExample: jailoc snapshot list api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('status',): {
        'text': 'Show the state of every workspace in a table, or of one with all details.\n\nExample: jailoc status --watch',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace to show; all by default.'},
            {'field': 'all_users', 'names': ('--all-users',), 'kind': 'bool', 'help': 'Show the workspaces of other users of this engine, too.'},
            {'field': 'watch', 'names': ('--watch',), 'kind': 'bool', 'help': 'Look again every two seconds, until interrupted.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON; with --watch one object a line.'},
        ),
    },
    ('task',): {
        'text': 'Sandboxes beside a workspace, each with a clone of its project on a branch of its own.\n\nWhere other commands take a workspace, WORKSPACE/TASK names one of them.\n\nExample: jailoc task new fix-login',
        'below': ('diff', 'fetch', 'list', 'log', 'new', 'rm'),
        'runs': False,
        'arguments': (
        ),
    },
    ('task', 'diff'): {
        'text': 'Show what the commits of a task change.\n\nExample: jailoc task diff fix-login --stat',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The task.', 'required': True},
            {'field': 'stat', 'names': ('--stat',), 'kind': 'bool', 'help': 'Only how much of which file.'},
            {'field': 'uncommitted', 'names': ('--uncommitted',), 'kind': 'bool', 'help': 'What is not committed, too.'},
        ),
    },
    ('task', 'fetch'): {
        'text': 'Bring the commits of a task home as refs/jailoc/WORKSPACE/NAME; nothing of them runs here.\n\nExample: jailoc task fetch fix-login',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The task.', 'required': True},
            {'field': 'unrelated', 'names': ('--unrelated',), 'kind': 'bool', 'help': 'Take them although their history is another one than the task began with.'},
            {'field': 'uncommitted', 'names': ('--uncommitted',), 'kind': 'bool', 'help': 'Commit what is not committed, too, and bring that as refs/jailoc/WORKSPACE/NAME.wip.'},
        ),
    },
    ('task', 'list'): {
        'text': 'List the tasks that there are.\n\nExample: jailoc task list',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
    ('task', 'log'): {
        'text': 'Show the commits of a task.\n\nExample: jailoc task log fix-login',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The task.', 'required': True},
        ),
    },
    ('task', 'new'): {
        'text': 'Clone the project of a workspace, and start a sandbox on the clone.\n\nExample: jailoc task new fix-login --from main',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The task: a-z, 0-9 and -; its branch is task/NAME.', 'required': True},
            {'field': 'revision', 'names': ('--from',), 'kind': 'text', 'help': "The commit that it begins at, in Git's words; what is checked out by default."},
        ),
    },
    ('task', 'rm'): {
        'text': 'Remove a task with its clone, unless work would be lost that did not come home.\n\nExample: jailoc task rm fix-login',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'name', 'names': ('NAME',), 'kind': 'text', 'help': 'The task.', 'required': True},
            {'field': 'force', 'names': ('--force',), 'kind': 'bool', 'help': 'Remove it whatever is lost.'},
        ),
    },
    ('undo',): {
        'text': "Return a workspace's files to a snapshot, after showing what that does and asking.\n\nWhat is there now is kept first, so that an undo can be undone. The agent is halted meanwhile,\nand begins anew.\n\nExample: jailoc undo api --to 1a2b3c4d",
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'what', 'names': ('WHAT',), 'kind': 'text', 'help': 'The workspace, that of the current directory by default; then paths, all by default.', 'many': True},
            {'field': 'to', 'names': ('--to',), 'kind': 'text', 'help': "The beginning of a snapshot's id, from `jailoc snapshot list`; the last one by default."},
            {'field': 'resume', 'names': ('--continue',), 'kind': 'bool', 'help': 'Finish one that was interrupted.'},
            {'field': 'yes', 'names': ('--yes', '-y'), 'kind': 'bool', 'help': 'Do not ask.'},
        ),
    },
    ('up',): {
        'text': 'Start a workspace and wait until its server answers.\n\nExample: jailoc up api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Every workspace and every task that runs, one after the other.'},
            {'field': 'pull', 'names': ('--pull',), 'kind': 'bool', 'help': 'Fetch the images anew that others are built on, or that are used as they are.'},
        ),
    },
    ('validate',): {
        'text': 'Check a configuration and report every problem in it.\n\nExample: jailoc validate config.toml --json',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'file', 'names': ('FILE',), 'kind': 'text', 'help': 'The file to check; the configuration in use by default.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write the diagnostics as JSON.'},
        ),
    },
    ('verify',): {
        'text': 'Compare a running workspace with its model, from inside; exit status 2 if they differ.\n\nExample: jailoc verify api',
        'below': (),
        'runs': True,
        'arguments': (
            {'field': 'workspace', 'names': ('WORKSPACE',), 'kind': 'text', 'help': 'The workspace; that of the current directory by default.'},
            {'field': 'all', 'names': ('--all',), 'kind': 'bool', 'help': 'Show every check, not only those that differ.'},
            {'field': 'json', 'names': ('--json',), 'kind': 'bool', 'help': 'Write JSON.'},
        ),
    },
}
SHARED: tuple[dict[str, Any], ...] = (
    {'field': 'workspace', 'names': ('--workspace', '-w'), 'kind': 'text', 'help': 'The workspace to act on, instead of the one of the current directory.'},
    {'field': 'config', 'names': ('--config',), 'kind': 'text', 'help': 'The configuration file, instead of ~/.config/jailoc/config.toml.'},
    {'field': 'color', 'names': ('--color', '--no-color'), 'kind': 'bool', 'help': 'No colours; without it they are used where standard output is a terminal.', 'on': True},
    {'field': 'verbose', 'names': ('--verbose',), 'kind': 'bool', 'help': 'Show on standard error what goes into the log, and what Compose says.'},
)
