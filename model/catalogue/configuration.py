"""Codes of what is wrong in a configuration or a policy: the file is refused as a whole."""

from jailoc.model.catalogue.entry import Entry

CONFIGURATION: dict[str, Entry] = {
    "allow": Entry(
        "A table in `allowed_hosts` or `allowed_networks` lacks `to`, says its port twice, or "
        "`until` is no date.",
        'Write it as { to = "10.1.0.0/16", ports = [5432], why = "staging", until = 2027-01-31 }.',
    ),
    "build-context": Entry(
        "`build_context` is relative or empty: it would mean another place in every shell.",
        "Give an absolute path, or one that begins with ~.",
    ),
    "certificate": Entry(
        "A file of `ca_certificates` is not there, no PEM, cut, no certificate, or holds a key.",
        "Give a PEM file of whole certificates; `openssl x509 -inform der` makes one of a DER "
        "file.",
    ),
    "client-host-forbidden": Entry(
        "Remote mode is asked for with an agent whose client runs what its server names: the "
        "agent's code would run on this machine.",
        'Attach with the client in the sandbox: `mode = "exec"`, or leave --remote out.',
    ),
    "cpu": Entry(
        "`cpu` is no finite number greater than 0.",
        "Give a number of processors, such as 2 or 0.5.",
    ),
    "credential-egress": Entry(
        "A credential is for a host that the workspace reaches in no way.",
        "Take the denial away, or set `egress` to `allowlist` or `public`.",
    ),
    "credential-env": Entry(
        "A variable of a credential has another value, is reserved, or is none.",
        "Name a variable that nothing else sets.",
    ),
    "credential-header": Entry(
        "A header cannot carry a credential.",
        "Name one such as `X-Api-Key`.",
    ),
    "credential-host": Entry(
        "A host of a credential is no exact name, or its port cannot be served.",
        "Write `NAME` or `NAME:PORT`, of a host that speaks TLS.",
    ),
    "credential-method": Entry(
        "A method of a credential is none.",
        "Write methods in capital letters; never TRACE, CONNECT, TRACK or DEBUG.",
    ),
    "credential-name": Entry(
        "A credential has a name that cannot be one.",
        "Use up to 40 of a-z, digits and `-`.",
    ),
    "credential-path": Entry(
        "A path of a credential could be read in two ways.",
        "Write it from `/` on, without `//`, `..` and signs such as `?` and `;`.",
    ),
    "credential-scheme": Entry(
        "A credential has an unknown scheme, or what belongs to another one.",
        "Choose `bearer`, `basic` with `username`, or `header` with `header`.",
    ),
    "credential-source": Entry(
        "A credential has no source, or several.",
        "Give exactly one of `from_env`, `from_file`, `from_keyring` and `from_command`.",
    ),
    "credential-twice": Entry(
        "Two credentials are for one host and port.",
        "Keep one of the two.",
    ),
    "credential-visible": Entry(
        "An agent could read the file that a credential comes from.",
        "Move the file out of every path and mount.",
    ),
    "deny": Entry(
        "A table in `denied_hosts` or `denied_networks` has an end; what is denied has none.",
        "Leave `until` out.",
    ),
    "deny-port": Entry(
        "A single port of a name is denied. Names are closed by not resolving, which closes all "
        "their ports.",
        "Deny the name as a whole, or the network that it is in with the port.",
    ),
    "dockerfile": Entry(
        "The source of a Dockerfile is neither an absolute path nor an http or https URL with a "
        "host.",
        "Give an absolute path, one that begins with ~, or a URL.",
    ),
    "dockerfile-missing": Entry(
        "A Dockerfile that the configuration names is not there, empty, no UTF-8 text, or has not "
        "been fetched yet.",
        "Check the path and its permissions; `jailoc up` fetches what a URL names.",
    ),
    "drift": Entry(
        "An entry of `ignore_drift` is no address of drift.",
        "Copy the address from `jailoc plan`, which shows one for each drift.",
    ),
    "egress": Entry(
        "`egress` has an unknown value.",
        "Choose `public`, `allowlist` or `none`.",
    ),
    "egress-none": Entry(
        '`egress = "none"` opens nothing, and something beside it does.',
        'Use `egress = "allowlist"`, which opens what is named and nothing else.',
    ),
    "env-entry": Entry(
        "An entry of `env` has no `=`, no key, or a NUL character.",
        "Write KEY=VALUE.",
    ),
    "env-file": Entry(
        "An env file is not there, cannot be read, or is no text.",
        "Check the path and its permissions; it is UTF-8 text, KEY=VALUE a line.",
    ),
    "env-file-entry": Entry(
        "A line of an env file is no KEY=VALUE, or sets what jailoc sets itself.",
        "Correct the lines that are named.",
    ),
    "env-reserved": Entry(
        "A variable that jailoc sets itself would be overridden.",
        "Remove it. What it steers has a key of its own in the configuration.",
    ),
    "expect": Entry(
        "The rules do not decide as `[workspaces.NAME.expect]` says that they must.",
        "Ask `jailoc explain` which line decides, then correct that line or the expectation.",
    ),
    "expect-name": Entry(
        "An expectation names a host, whose addresses are known only at run time.",
        "Name an address or a network.",
    ),
    "host-blank": Entry(
        "A host has a blank in it; blanks are not counted, so two names are read as one.",
        "Write each host as an entry of its own.",
    ),
    "host-name": Entry(
        "This is no host: neither a name, `*.NAME` nor an address, with a port or without.",
        "Write other letters in their xn-- form; networks go into `allowed_networks`.",
    ),
    "image": Entry(
        "This is no reference of an image that an engine takes.",
        "Write [REGISTRY/]NAME[:TAG][@DIGEST], in lower case and without blanks.",
    ),
    "image-conflict": Entry(
        "A workspace sets `image`, which is taken as it is, and a Dockerfile or a build context.",
        "To lay a Dockerfile over an image, set that image in [defaults].",
    ),
    "key-missing": Entry(
        "A table lacks a key that it cannot be without.",
        "Give the key; the schema of the configuration says which ones a table needs.",
    ),
    "memory": Entry(
        "`memory` is no size, less than the engine's minimum of 6m, or more than it can count.",
        "Write a number and a unit, such as 512m or 8g.",
    ),
    "mode": Entry(
        "`mode` has an unknown value.",
        'Choose "exec", as "" is, or "remote".',
    ),
    "mount-container": Entry(
        "A mount would lie over a system directory of the container.",
        "Choose a place below /home/agent or a path of its own, such as /workspace.",
    ),
    "mount-grammar": Entry(
        "This is no mount: a part is empty, relative, or the mode is unknown.",
        "Write HOST:CONTAINER, both absolute, with :ro or :rw behind it or not.",
    ),
    "mount-host": Entry(
        "A mount would hand over a directory of the system, of credentials, or of jailoc itself.",
        "Mount the single directories that the agent needs; it has a Docker of its own.",
    ),
    "mtu": Entry(
        "`mtu` is less than IPv6 works with, or more than a packet can have.",
        "Give a number from 1280 on, a VPN's has up to 1450; or leave it out.",
    ),
    "network": Entry(
        "This is no network.",
        "Write ADDRESS/LENGTH or ADDRESS/LENGTH:PORT, such as 10.1.0.0/16 or [fd00:1::]/32:443.",
    ),
    "network-everything": Entry(
        "The networks together are every address there is: nothing would be closed.",
        "Name the networks that are needed; public addresses are open without it.",
    ),
    "opencode-version": Entry(
        "The version of the agent is none, or one of a major that this jailoc does not know.",
        "Write a major or an exact version, as the message lists them.",
    ),
    "password-mode": Entry(
        "`password_mode` has an unknown value.",
        "Choose auto, env, keyring or file.",
    ),
    "path": Entry(
        "A path of a workspace is relative or empty: it would mean another place in every shell.",
        "Give an absolute path, or one that begins with ~.",
    ),
    "path-forbidden": Entry(
        "A path of a workspace holds credentials, an engine's socket, jailoc's own files, or lies "
        "in a directory of the system, of this machine's or the container's, such as `/tmp`.",
        "Name the single directories below it that the agent needs; keep projects elsewhere, such "
        "as in `~/src`.",
    ),
    "pids": Entry(
        "`pids` is out of range.",
        "Give a number in the range that the message names.",
    ),
    "policy": Entry(
        "A policy refuses this configuration, is wrong itself, or cannot be read.",
        "Change what it forbids, or ask who keeps it. Without its policy nothing goes on.",
    ),
    "policy-network": Entry(
        "`to` in a policy is no network.",
        "Write ADDRESS/LENGTH.",
    ),
    "policy-power": Entry(
        "A policy names a power that there is not.",
        "Take one of the reference of powers, or KIND.*.",
    ),
    "port": Entry(
        "This is no port.",
        "Give a number from 1 to 65535.",
    ),
    "port-twice": Entry(
        "Two things of the configuration would have one port of this machine.",
        "Set `port` of one workspace, or publish another one: HOST:INSIDE.",
    ),
    "ports": Entry(
        "An entry of `ports` is none, its ranges differ in length or end before they begin, or "
        "there are too many.",
        "Write INSIDE, HOST:INSIDE, or ranges of one length.",
    ),
    "ports-reserved": Entry(
        "A port inside the sandbox is held by jailoc or the agent.",
        "Let the program in the sandbox listen on another one.",
    ),
    "protect": Entry(
        "An entry of `protect` is not a path inside a workspace.",
        "Give a relative path without `.` and `..`, such as .git/hooks.",
    ),
    "secret-file": Entry(
        "The file of a secret is relative, or its path holds a `$` or NUL character.",
        "Give an absolute path, or one that begins with ~; variables are not expanded.",
    ),
    "secret-name": Entry(
        "The name of a secret is no name of a variable, or of a file.",
        "Use letters, digits and _; a file's name may hold -, too.",
    ),
    "secret-reserved": Entry(
        "A secret has the name of a variable that jailoc sets.",
        "Give it another name.",
    ),
    "secret-source": Entry(
        "A secret has no source, or two.",
        "Give exactly one of `from_env` and `from_file`.",
    ),
    "secret-twice": Entry(
        "One name stands in `secrets.env` and in `secrets.file`.",
        "Keep one of the two.",
    ),
    "secret-variable": Entry(
        "`from_env` is not the name of a variable.",
        "Use letters, digits and _, not beginning with a digit.",
    ),
    "service": Entry(
        "A service beside the agent lacks its image, or has an empty list of ports or words.",
        "Give `image`, `ports` and `healthcheck`: see the reference of services.",
    ),
    "service-capability": Entry(
        "`capabilities` of a service names one that no program needs to start as root and become "
        "somebody else.",
        "Name those of CHOWN, DAC_OVERRIDE, FOWNER, SETGID and SETUID that it needs, or a `user`.",
    ),
    "service-closed": Entry(
        "A service could not be reached by its name: nothing is looked up, or its name is denied.",
        'Use egress = "allowlist", which opens nothing that is not named; deny other names.',
    ),
    "service-name": Entry(
        "The name of a service has other characters than it may have, is one of the sandbox's own, "
        "or stands in `allowed_hosts` as well.",
        "Give it another name: words of a-z and digits with hyphens between.",
    ),
    "service-place": Entry(
        "A directory in memory, or the place of a volume, is not absolute, the kernel's, or there "
        "twice.",
        "Give an absolute path in the service's container, each once.",
    ),
    "service-user": Entry(
        "A service has neither a user nor capabilities, or both, or its user is not two numbers.",
        'Give user = "999:999", as whom the image\'s program works; or `capabilities`.',
    ),
    "service-volume": Entry(
        "An entry of a service's `volumes` is not NAME:PLACE.",
        "Write it as data:/var/lib/postgresql/data. Nothing of this machine is mounted there.",
    ),
    "set-name": Entry(
        "An entry of `allow`, or a table in `sets`, is not the name of a set.",
        "Name sets as @NAME in `allow`; hosts go into `allowed_hosts`, networks into "
        "`allowed_networks`.",
    ),
    "set-shipped": Entry(
        "A set of one's own has the name of one that jailoc ships.",
        "Call it otherwise, and name both in `allow`.",
    ),
    "set-unknown": Entry(
        "No set of hosts has this name, neither shipped nor in `[sets.NAME]`.",
        "`jailoc presets list` shows those that there are.",
    ),
    "snapshots": Entry(
        "A setting of snapshots is no such name, size or number.",
        "The message says what is allowed.",
    ),
    "steering": Entry(
        "A file that steers the host or the sandbox lies where an agent can write, or is reached "
        "by a link that one can have made, or comes over plain http.",
        "Move it, name where the link leads, fetch it over https, or allow it by name in `trust`, "
        "at the top of the file. Where an agent runs with more than is written now: `jailoc "
        "down`.",
    ),
    "subnet": Entry(
        "`subnet` is no private IPv4 network, or too large or too small.",
        "Give one such as 10.200.0.0/24.",
    ),
    "subnet-twice": Entry(
        "The subnets of two workspaces overlap.",
        "Set another `subnet` in one of them.",
    ),
    "task-limit": Entry(
        "The number of tasks that a workspace may have is out of range.",
        "Give 1 to 100.",
    ),
    "task-ports": Entry(
        "What is given for the ports of tasks is no range.",
        "Give the first and the last port: [4600, 4699].",
    ),
    "toml-syntax": Entry(
        "The file is not valid TOML 1.0 at this place.",
        "Strings stand in quotes, lists in [brackets], tables begin with [name].",
    ),
    "trust": Entry(
        "An entry of `trust` is relative or empty.",
        "Give the path as the refusal wrote it: absolute, or beginning with ~.",
    ),
    "type": Entry(
        "A value is of another kind than its key takes.",
        "Write the kind that the message names: a string in quotes, a number, an array.",
    ),
    "unknown-key": Entry(
        "There is no such key here. It is misspelt, belongs into another table, or is one of a "
        "newer jailoc.",
        "Take one that the message lists, or remove it.",
    ),
    "volume": Entry(
        "An entry of `volumes` is none.",
        "Write NAME:PLACE, such as npm:~/.npm.",
    ),
    "volume-place": Entry(
        "A volume would lie over a system directory of the container, or over what jailoc mounts.",
        "Choose a directory of its own below ~, or one such as /caches/npm.",
    ),
    "workspace-name": Entry(
        "A workspace's name has other characters than it may have, or is too long for the names "
        "of its volumes.",
        "Use lower-case letters a-z, digits and hyphens, and a shorter name.",
    ),
}
