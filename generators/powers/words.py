"""Each power in plain words, with how grave it is."""

from collections.abc import Callable

from jailoc.generators.config.stated import EVERY
from jailoc.generators.powers import image_words
from jailoc.generators.powers.cluster_words import CLUSTER_WORDS, locked, source
from jailoc.generators.powers.covers import is_networks
from jailoc.generators.powers.path_words import executed_tail, path_words
from jailoc.model.path import tilde
from jailoc.model.power import Power, Rank
from jailoc.model.power_rules import RULES
from jailoc.model.protect_entry import WHOLE
from jailoc.model.sandbox import AGENT_HOME, FIRST_PORT
from jailoc.model.text import cut
from jailoc.model.variable_names import CREDENTIAL

Words = tuple[Rank, str, str]
"""How grave it is to gain it; what is said of one that is gained, and of one that is lost."""

_IDENTITY = (
    "GITHUB", "GH_", "GITLAB", "AWS_", "AZURE_", "GOOGLE_", "GCP_", "NPM_", "PYPI", "DOCKER",
    "KUBE", "SSH", "VAULT", "CLOUDFLARE", "STRIPE", "SLACK", "ROOT", "ADMIN", "PROD", "MASTER",
    "DEPLOY", "GPG", "SIGN", "TF_", "HEROKU", "DIGITALOCEAN", "ARTIFACTORY", "SUDO", "PASSWORD",
)  # fmt: skip
"""What is in the names of variables that prove who the user is elsewhere."""


SOURCE = 80
"""Characters that are told of where a credential's value comes from."""


def words(power: Power, before: Power | None = None) -> Words:
    """Return the words of a power.

    Args:
        power: What is gained or lost.
        before: What was there in its place, if something was.
    """
    say = _WORDS.get(power.rule, _plain)
    return say(power, before)


def _plain(power: Power, _: Power | None) -> Words:
    rule = RULES[power.rule]
    what = f"{rule.what}: {power.subject}"
    return rule.ranks[0], what, f"no longer {what}"


def _secret(power: Power, before: Power | None) -> Words:
    kind, source = power.subject.split(" ", 1)
    rank, note = Rank.HIGH, ""
    if kind == "file":
        rank, note = path_words(source, writes=False, file=True)
        rank = min(rank, Rank.HIGH, key=lambda each: each.order)
        note = note and f": {note}"
    elif any(each in source.upper() for each in _IDENTITY):
        rank, note = Rank.CRITICAL, ": by its name the user's own identity or a far-reaching one"
    was = f" (it was {before.subject})" if before is not None else ""
    place = f"the user's {kind} {source}" if kind == "variable" else f"the file {source}"
    return (
        rank,
        f"holds a secret: {place}, as {power.value}{was}{note}",
        f"no longer holds the secret {power.value} from {kind} {source}",
    )


def _credential(power: Power, before: Power | None) -> Words:
    source, _, place = power.subject.rpartition(" at ")
    methods, paths, way = power.value.split(", ", 2)
    limits = ", ".join(
        f"every {word}" if each == EVERY else each
        for word, each in (("method", methods), ("path", paths))
    )
    rank = Rank.HIGH
    # Whoever has a new host gets the value itself, with the first request that only reads.
    if (
        before is not None
        and {*methods.split()} <= {"GET", "HEAD", "OPTIONS"}
        and (before.value.split(", ", 2)[2:] == [way])
    ):
        rank = Rank.MEDIUM
    elif _whole(methods, paths) and any(each in source.upper() for each in _IDENTITY):
        rank = Rank.CRITICAL
    was = f" (it was {before.value})" if before is not None else ""
    # The command is a power of its own, and told in full there.
    text = f"act as {cut(source, SOURCE)} at {place}: {limits}, {way}"
    return rank, f"may {text}{was}, without holding the value", f"may no longer {text}"


def _whole(methods: str, paths: str) -> bool:
    """Tell whether a credential may do all that can be done, also if that is spelled out."""
    writing = {"DELETE", "PATCH", "POST", "PUT"}
    return (
        methods == EVERY or writing <= {*methods.split()} or bool({EVERY, "/"} & {*paths.split()})
    )


def _command(power: Power, _: Power | None) -> Words:
    return (
        Rank.CRITICAL,
        f"has jailoc run a program on this machine, as the user: {power.subject}",
        f"no longer has jailoc run a program on this machine: {power.subject}",
    )


def _env_file(power: Power, _: Power | None) -> Words:
    rank, note = path_words(power.subject, writes=False, file=True)
    return (
        min(rank, Rank.HIGH, key=lambda each: each.order),
        f"holds every variable of the env file {power.subject}" + (f": {note}" if note else ""),
        f"no longer holds the variables of the env file {power.subject}",
    )


def _variable(power: Power, before: Power | None) -> Words:
    verb = "has another value for" if before is not None else "has"
    sign = "name" if CREDENTIAL.fullmatch(power.subject.rpartition(" ")[2]) else "value"
    return (
        Rank.HIGH,
        f"{verb} the variable {power.subject}: by its {sign} a credential, in plain text",
        f"no longer has {'its former value of ' if before else ''}the variable {power.subject}",
    )


def _steering(power: Power, before: Power | None) -> Words:
    verb = "another value of" if before is not None else ""
    name = power.subject.rpartition(" ")[2].upper()
    grave = name.startswith(("LD_", "NODE_OPTIONS", "GIT_SSH", "BASH_ENV", "NODE_TLS")) or any(
        each in name for each in ("PROXY", "BASE_URL", "INSECURE", "VERIFY", "CERT", "CA_BUNDLE")
    )
    return (
        Rank.HIGH if grave else Rank.MEDIUM,
        f"runs with {verb + ' ' if verb else ''}the variable {power.subject}, which steers "
        "programs: what they load, whom they believe, where they send",
        f"no longer runs with {'its former value of ' if before else ''}the variable "
        f"{power.subject}",
    )


def _certificate(power: Power, before: Power | None) -> Words:
    other = before is not None and before.subject == power.subject
    which = (
        f"another certificate at {power.subject}" if other else f"the certificate {power.subject}"
    )
    return (
        Rank.HIGH,
        f"trusts {which}: who has its key can read and change TLS traffic",
        f"no longer trusts {'what was at ' if other else 'the certificate '}{power.subject}",
    )


def _trusted(power: Power, _: Power | None) -> Words:
    url = "://" in power.subject
    return (
        Rank.CRITICAL,
        f"trusts {power.subject}, "
        + (
            "which whoever is on the way can change, and the host builds it"
            if url
            else "which an agent may be able to change, and which steers the host"
        ),
        f"no longer trusts {power.subject}",
    )


def _drift(power: Power, _: Power | None) -> Words:
    wide = power.subject.count("*") and not power.subject.rstrip("*.").count(".") > 1
    return (
        Rank.HIGH if wide else Rank.MEDIUM,
        f"guard gone: what is changed by hand at {power.subject} is no longer told or mended "
        "(ignore_drift)",
        f"changes by hand at {power.subject} are told again",
    )


def _attach(power: Power, _: Power | None) -> Words:
    if power.subject == "remote":
        return (
            Rank.CRITICAL,
            "attaches by remote: the user's client runs on this machine, obeys the agent's server, "
            "and may run the agent's code",
            "no longer attaches by remote: the user's client runs in the sandbox",
        )
    return (
        Rank.MEDIUM,
        "attaches by exec: the user's client runs in the sandbox, on the user's terminal",
        "no longer attaches by exec",
    )


def _password(power: Power, _: Power | None) -> Words:
    what = {
        "file": "in a file of the user's",
        "env": "in a variable of the user's shell, which its programs inherit",
        "keyring": "in the desktop's keyring",
    }.get(power.subject, power.subject)
    return (
        Rank.MEDIUM,
        f"the password of its server may be {what} (password_mode)",
        f"the password of its server is no longer {what}",
    )


def _guard(rank: Rank, more: str, less: str) -> Callable[[Power, Power | None], Words]:
    """Return the words of a guard: of one that is lost, and of one that is there."""

    def say(power: Power, _: Power | None) -> Words:
        return rank, more.format(power.subject), less.format(power.subject)

    return say


def _denied(power: Power, _: Power | None) -> Words:
    if is_networks(power):
        return (
            Rank.HIGH,
            f"guard gone: {power.subject} is no longer denied (denied_networks), so what "
            "another entry allows of it is open",
            f"{power.subject} is closed whatever is allowed",
        )
    return (
        Rank.HIGH,
        f"guard gone: the name {power.subject} is no longer denied (denied_hosts)",
        f"the name {power.subject} no longer resolves",
    )


def _protect(power: Power, _: Power | None) -> Words:
    if power.subject == WHOLE:
        return (
            Rank.HIGH,
            "guard gone: the agent may write .git in its projects, whose index, references and "
            "state Git on this machine believes (git_write)",
            "the agent can no longer write .git in its projects: it cannot commit",
        )
    rank = Rank.CRITICAL if executed_tail(f"/{power.subject.removeprefix('**/')}") else Rank.MEDIUM
    return (
        rank,
        f"guard gone: the agent may change {power.subject.removeprefix('**/')} in its projects"
        + (", which the host executes or obeys" if rank is Rank.CRITICAL else "")
        + " (protect)",
        f"the agent can no longer change {power.subject} in its projects",
    )


def _be(rank: Rank, more: str) -> Callable[[Power, Power | None], Words]:
    def say(power: Power, _: Power | None) -> Words:
        said = more.format(power.subject)
        return rank, said, f"no longer{':' * said.startswith('lost')} {said.partition(':')[0]}"

    return say


def _shared(power: Power, before: Power | None) -> Words:
    said = f"writes and reads the volume {power.subject}"
    if before is None:
        more = (
            f"{said}, which it shares with every workspace that names it: what one agent leaves "
            "there, another one runs"
        )
        return (
            Rank.HIGH,
            more,
            f"no longer {said}, which it shares with every workspace that names it",
        )
    places = [tilde(each, AGENT_HOME) for each in power.value.split(", ")]
    executed = any(path_words(each, writes=True)[0] is Rank.CRITICAL for each in places)
    note = ": what another agent leaves there, it may execute" if executed else ""
    where = f"{said}, which others share, at {', '.join(places)}"
    rank = Rank.HIGH if executed else Rank.MEDIUM
    return rank, f"{where} (it was {before.value}){note}", f"no longer {where}"


def _docker(power: Power, _: Power | None) -> Words:
    # Also of a workspace that is new.
    said = f"has {power.subject}, rootless, behind the same wall"
    return Rank.MEDIUM, said, f"does not have {power.subject}"


def _service(power: Power, before: Power | None) -> Words:
    was = f" (it was {before.value})" if before and before.value != power.value else ""
    return (
        Rank.MEDIUM,
        f"runs the service {power.subject} beside the agent, from the image {power.value}{was}",
        f"no longer runs the service {power.subject}",
    )


def _capability(power: Power, _: Power | None) -> Words:
    name, capability = power.subject.split(" ", 1)
    return (
        Rank.CRITICAL if capability in {"NET_ADMIN", "SYS_ADMIN"} else Rank.HIGH,
        f"{name} has the capability {capability}",
        f"{name} no longer has the capability {capability}",
    )


def _port(power: Power, before: Power | None) -> Words:
    if power.subject != str(FIRST_PORT):
        where = f"127.0.0.1:{power.value}" + (
            "" if power.value == power.subject else f", which leads to {power.subject} inside"
        )
        return (
            Rank.MEDIUM,
            f"what it serves is reached at {where}: by the user's browser and programs",
            f"what it serves is no longer reached at {where}",
        )
    return (
        Rank.LOW,
        f"its server is reached at 127.0.0.1:{power.value} of this machine, with a password",
        f"its server is no longer reached at 127.0.0.1:{power.value}",
    )


def _note(power: Power, before: Power | None) -> Words:
    was = f" (it was {before.value})" if before and power.rule == "note.limits" else ""
    value = "" if power.rule == "note.variable" else f" {power.value}"
    return Rank.NOTE, f"{power.subject}{value}{was}", f"without {power.subject}"


_WORDS: dict[str, Callable[[Power, Power | None], Words]] = {
    "hold.secret": _secret,
    "hold.credential": _credential,
    "hold.unscrubbed": _be(
        Rank.HIGH,
        "reads the value of a credential where an answer holds it (scrub = false): {}",
    ),
    "hold.env-file": _env_file,
    "hold.variable": _variable,
    "hold.ssh-agent": _be(Rank.CRITICAL, "holds the user's {}: each key in it logs in as the user"),
    "hold.editor": _be(
        Rank.HIGH, "gets the {}: their commands and tokens, whichever the user has there"
    ),
    "hold.git-identity": _be(Rank.LOW, "reads the user's {}: name, address, aliases"),
    "run.command": _command,
    "run.variable": _steering,
    "run.agent": image_words.agent,
    "run.image": image_words.image,
    "run.service": _service,
    "run.dockerfile": image_words.dockerfile,
    "run.context": image_words.context,
    "trust.certificate": _certificate,
    "trust.path": _trusted,
    "trust.drift": _drift,
    "trust.attach": _attach,
    "trust.password": _password,
    "guard.block": _guard(
        Rank.HIGH,
        "guard gone: it was agreed that {} must stay closed (expect.block)",
        "it is agreed that {} must stay closed",
    ),
    "guard.reach": _guard(
        Rank.MEDIUM,
        "guard gone: it was agreed that {} must stay open (expect.reach)",
        "it is agreed that {} must stay open",
    ),
    "guard.denied": _denied,
    "guard.protect": _protect,
    "write.shared": _shared,
    "be.privileged": _be(
        Rank.CRITICAL, "is privileged ({}): whoever becomes root in it is root on this machine"
    ),
    "be.capability": _capability,
    "be.unconfined": _be(Rank.HIGH, "lost confinement: {}"),
    "be.root": _be(Rank.HIGH, "runs as root: {}"),
    "be.device": _be(Rank.HIGH, "opens a device of the host: {}"),
    "be.service": _be(Rank.CRITICAL, "runs a service that jailoc does not know: {}"),
    "be.docker": _docker,
    "be-reached.port": _port,
    "be-reached.subnet": _be(
        Rank.MEDIUM,
        "takes the addresses {}: programs of this machine find the sandbox there, and nobody else",
    ),
    "run.source": source,
    "run.locked": locked,
    **{rule: _guard(*told) for rule, told in CLUSTER_WORDS.items()},
    "note.limits": _note,
    "note.variable": _note,
    "note.other": _note,
}
RULES_WITH_WORDS = frozenset(_WORDS)
"""Rules whose words stand here; those of reach and of paths stand where they are computed."""
