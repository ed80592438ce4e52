"""Compare what is wanted of a workspace with what is there, and say what has to be done."""

import json
from collections.abc import Iterable, Iterator, Mapping

from jailoc.generators.artefacts.image_recipes import FOREIGN, why
from jailoc.generators.plan.drift import drift
from jailoc.generators.plan.inputs import Given, keyed
from jailoc.generators.plan.services import again, earlier, network_changed, services
from jailoc.generators.plan.steps import image_address, steps
from jailoc.generators.plan.volumes import inherited, purpose
from jailoc.generators.powers.difference import changes as power_changes
from jailoc.model.agents.agent import major_of, version_in
from jailoc.model.bundle import RELOADABLE, Bundle
from jailoc.model.compose import Network
from jailoc.model.deployed import Applied, Deployed, DeployedFile, Rules, file_states
from jailoc.model.path import tilde
from jailoc.model.plan import UNSEEN, Action, Change, FieldChange, Plan
from jailoc.model.plan_address import (
    ChangeAddress,
    CredentialAddress,
    CredentialsAddress,
    FileAddress,
    FoundAddress,
    ImageAddress,
    NetworkAddress,
    PasswordAddress,
    RecordAddress,
    RulesAddress,
    SecretAddress,
    SecretsAddress,
    ServiceAddress,
    VolumeAddress,
    VolumesAddress,
)
from jailoc.model.power import Direction, PowerChange, Sides
from jailoc.model.sandbox import AGENT, AGENT_LABEL, PASSWORD_FILE, PROXY, VOLUME_PREFIX, WALL

MISSING = 5
"""Places in repositories that a note names."""


def plan(bundle: Bundle, deployed: Deployed, given: Given) -> Plan:
    """Say what brings a workspace to what its bundle says, with the least disruption."""
    found = drift(bundle, deployed, given)
    changes: list[Change] = []
    if deployed.engine:
        changes += _images(bundle, deployed)
    changes += _files(bundle, deployed)
    if deployed.engine:
        verdicts = services(bundle, deployed, given, found)
        changes += verdicts
        changes += _project(bundle, deployed)
        changes += _rules(bundle, deployed, verdicts)
        changes += _secrets(bundle, deployed, given, verdicts)
        changes += _credentials(bundle, deployed, given, verdicts)
    changes += _record(bundle, deployed, given, changes)
    agent = deployed.containers.get(AGENT)
    interrupted = (
        agent is not None
        and agent.state in {"running", "paused"}
        and any(each.address == ServiceAddress(name=AGENT) for each in changes)
    )
    return Plan(
        workspace=bundle.workspace,
        changes=tuple(changes),
        drift=found,
        powers=_powers(bundle, deployed, given, changes),
        new=deployed.applied is None,
        egress=None if deployed.applied else bundle.firewall.egress,
        inherited=() if deployed.applied else inherited(bundle, deployed),
        notes=tuple(_notes(bundle, deployed, given)),
        agent_restarts=interrupted,
        engine=deployed.engine,
        unseen=deployed.unseen if deployed.engine else (UNSEEN,),
        steps=steps(bundle, deployed, changes) if deployed.engine else (),
        bundle=bundle.digest,
        world=world(deployed, given.key),
    )  # fmt: skip


def world(deployed: Deployed, key: bytes) -> dict[FoundAddress, str]:
    """Return a keyed digest of everything that was found, by address."""
    found: dict[FoundAddress, object] = {
        FileAddress(path=path): state.model_dump() for path, state in deployed.files.items()
    }
    for name, each in deployed.containers.items():
        found[ServiceAddress(name=name)] = each.model_dump(exclude={"health", "inherited"})
    found |= {ImageAddress(name=name): id_ for name, id_ in deployed.images.items()}
    found[NetworkAddress()] = deployed.network
    found[VolumesAddress()] = sorted(deployed.volumes)
    found[RulesAddress()] = deployed.rules.value
    found[RecordAddress()] = deployed.applied.model_dump(mode="json") if deployed.applied else None
    return {
        address: keyed(key, json.dumps(value, sort_keys=True))
        for address, value in sorted(found.items(), key=lambda each: str(each[0]))
    }


def moved(
    saved: Mapping[FoundAddress, str], now: Mapping[FoundAddress, str]
) -> tuple[FoundAddress, ...]:
    """Return the addresses that are not as they were."""
    return tuple(
        address
        for address in sorted({*saved, *now}, key=str)
        if saved.get(address) != now.get(address)
    )


def _images(bundle: Bundle, deployed: Deployed) -> Iterator[Change]:
    before = {each.name: each for each in deployed.applied.builds} if deployed.applied else {}
    run = {each.image.text for each in bundle.compose.services.values()}
    usable = deployed.images.keys() - {*deployed.foreign}
    lacking = {each.base for each in bundle.builds if each.tag not in usable}
    for build in bundle.builds:
        if build.tag not in run | lacking:
            continue  # what is built on it is there
        if build.tag in usable:
            continue
        old = before.get(build.name)
        causes: tuple[str, ...] = ("the engine does not have it",)
        if build.tag in deployed.foreign:
            causes = (FOREIGN,)
        elif old is not None and (reason := why(build, old)):
            causes = (reason,)
        yield Change(
            address=image_address(build),
            action=Action.REBUILD if old else Action.CREATE,
            causes=causes,
            fields=(FieldChange(name="tag", before=old.tag if old else None, after=build.tag),),
        )
    built = {each.tag for each in bundle.builds}
    for reference in sorted({each.image.text for each in bundle.compose.services.values()} - built):
        if reference not in deployed.images:
            yield Change(
                address=ImageAddress(name=reference),
                action=Action.CREATE,
                causes=("the engine does not have it, so it is pulled",),
            )


def _files(bundle: Bundle, deployed: Deployed) -> Iterator[Change]:
    wanted = file_states(bundle)
    for path in sorted({*wanted, *deployed.files}):
        old, new = deployed.files.get(path), wanted.get(path)
        if old == new:
            continue
        action = Action.CREATE if old is None else Action.REMOVE if new is None else Action.UPDATE
        yield Change(address=FileAddress(path=path), action=action, fields=_file_fields(old, new))


def _file_fields(old: DeployedFile | None, new: DeployedFile | None) -> tuple[FieldChange, ...]:
    both = [(f"{each.mode:04o}", each.digest[:12]) if each else (None, None) for each in (old, new)]
    return tuple(
        FieldChange(name=name, before=before, after=after)
        for name, before, after in zip(("mode", "sha256"), *both, strict=True)
        if before != after
    )


def _project(bundle: Bundle, deployed: Deployed) -> Iterator[Change]:
    if not deployed.network:
        yield Change(address=NetworkAddress(), action=Action.CREATE, causes=("it is not there",))
    elif network_changed(bundle, deployed):
        old = deployed.applied.compose.network if deployed.applied else None
        new = bundle.compose.network
        both = [
            (name, getattr(old, name, None), getattr(new, name)) for name in Network.model_fields
        ]
        yield Change(
            address=NetworkAddress(),
            action=Action.RECREATE,
            fields=tuple(
                FieldChange(
                    name=name,
                    before=None if before is None else str(before),
                    after=None if after is None else str(after),
                )
                for name, before, after in both
                if before != after
            ),
        )
    wanted = (*bundle.compose.volumes, *(each.name for each in bundle.compose.memory))
    for name in wanted:
        if name not in deployed.volumes:
            told = purpose(name, bundle)
            yield Change(
                address=VolumeAddress(name=name),
                action=Action.CREATE,
                causes=(told,) if told else (),
            )


def _rules(bundle: Bundle, deployed: Deployed, verdicts: Iterable[Change]) -> Iterator[Change]:
    if any(each.address == ServiceAddress(name=WALL) for each in verdicts):
        return  # a new wall loads them
    wanted = file_states(bundle)
    changed = [path for path in RELOADABLE if deployed.files.get(path) != wanted.get(path)]
    if changed:
        yield Change(
            address=RulesAddress(),
            action=Action.UPDATE,
            causes=(f"{', '.join(changed)} changed; reloaded in one step",),
        )
    elif deployed.rules is Rules.DIFFERENT:
        yield Change(
            address=RulesAddress(),
            action=Action.UPDATE,
            causes=("the rules in the kernel are not the generated ones; reloaded in one step",),
        )


def _secrets(
    bundle: Bundle, deployed: Deployed, given: Given, verdicts: list[Change]
) -> Iterator[Change]:
    """Yield secrets that are new, other or gone; the agent takes them only when it starts."""
    before = deployed.applied.secrets if deployed.applied else {}
    restarts = False
    for name in sorted({*before, *given.secrets}):
        old, new = before.get(name), given.secrets.get(name)
        if old == new or name in given.missing:
            continue
        restarts = True
        address = PasswordAddress() if name == PASSWORD_FILE else SecretAddress(name=name)
        yield _value(address, old, new)
    wall = deployed.containers.get(WALL)
    # A wall that did not answer may hold them all.
    asked = deployed.rules is not Rules.UNKNOWN
    lost = sorted({*given.secrets} - {*deployed.held}) if asked else []
    alone = not any(each.address == ServiceAddress(name=WALL) for each in verdicts)
    if lost and not restarts and wall is not None and wall.state == "running" and alone:
        yield Change(
            address=SecretsAddress(),
            action=Action.UPDATE,
            causes=(f"the wall does not hold {', '.join(lost)} in memory any more",),
        )
    agent = deployed.containers.get(AGENT)
    if restarts and agent is not None and not any(
        each.address == ServiceAddress(name=AGENT) for each in verdicts
    ):  # fmt: skip
        yield Change(
            address=ServiceAddress(name=AGENT),
            action=again(AGENT),
            causes=("it takes its secrets when it starts",),
        )


def _value(address: ChangeAddress, old: str | None, new: str | None) -> Change:
    """Return the change of a value that is known by its digests alone."""
    action = Action.CREATE if old is None else Action.REMOVE if new is None else Action.UPDATE
    before, after = (f"digest {each[:8]}" if each else None for each in (old, new))
    value = FieldChange(name="value", before=before, after=after)
    return Change(address=address, action=action, fields=(value,))


def _credentials(
    bundle: Bundle, deployed: Deployed, given: Given, verdicts: Iterable[Change]
) -> Iterator[Change]:
    """Yield credentials whose value is new, other or gone; nothing is restarted for them."""
    before = deployed.applied.credentials if deployed.applied else {}
    changed = False
    for name in sorted({*before, *given.credentials}):
        old, new = before.get(name), given.credentials.get(name)
        if old == new or name in given.unread:
            continue
        changed = True
        yield _value(CredentialAddress(name=name), old, new)
    alone = not any(
        each.address in {ServiceAddress(name=WALL), ServiceAddress(name=PROXY)} for each in verdicts
    )
    if changed or deployed.fed is None or not alone or PROXY not in bundle.compose.services:
        return
    if lost := sorted({*given.credentials} - {*deployed.fed}):
        yield Change(
            address=CredentialsAddress(),
            action=Action.UPDATE,
            causes=(f"the proxy does not hold {', '.join(lost)} in memory any more",),
        )


def _record(
    bundle: Bundle, deployed: Deployed, given: Given, changes: list[Change]
) -> Iterator[Change]:
    """Yield the note of what has been applied, where it is not the one that would be written."""
    if not deployed.engine or changes:
        return  # it goes without saying that an apply writes it down
    applied = deployed.applied
    if applied is None:
        yield Change(address=RecordAddress(), action=Action.CREATE,
                     causes=("nothing says what was applied last",))  # fmt: skip
    elif (
        applied.bundle != bundle.digest
        or applied.compose != bundle.compose
        or applied.firewall != bundle.firewall
        or earlier(applied.names, bundle.workspace) != earlier(given.names, bundle.workspace)
        or applied.config != given.config
        or any(
            applied.images.get(each.image.text) != deployed.images.get(each.image.text)
            for each in bundle.compose.services.values()
        )
        or applied.stated != given.stated
    ):
        yield Change(address=RecordAddress(), action=Action.UPDATE,
                     causes=("what was applied last is written down",))  # fmt: skip


def sides(applied: Applied | None) -> Sides | None:
    """Return what was applied, as powers compare it."""
    if applied is None:
        return None
    return Sides(compose=applied.compose, firewall=applied.firewall, stated=applied.stated)


def _powers(
    bundle: Bundle, deployed: Deployed, given: Given, changes: list[Change]
) -> tuple[PowerChange, ...]:
    """Return what changes of what the sandbox may do; of a new one, what it has beyond others."""
    before = sides(deployed.applied)
    after = Sides(compose=bundle.compose, firewall=bundle.firewall, stated=given.stated)
    if not changes:
        return ()
    if before is None:
        made = power_changes(given.bare, after, given.home, given.networks)
        return tuple(each for each in made if each.way is not Direction.SAME)
    return power_changes(before, after, given.home, given.networks)


def _notes(bundle: Bundle, deployed: Deployed, given: Given) -> Iterator[str]:
    if not deployed.engine:
        yield "no engine answers, so only the generated files are compared"
    elif deployed.unseen:
        yield f"the engine did not answer about {', '.join(deployed.unseen)}"
    for build in bundle.builds:
        if not build.known:
            yield (
                f"the build context of image jailoc-{build.name} is too large to be compared: an "
                "apply has the engine compare it"
            )
    if not given.local:
        yield (
            "the engine may be on another machine: it has to find the mounted paths and the "
            "generated files at the same places there"
        )
    if unknown := [each for each in given.missing if each != PASSWORD_FILE]:
        them = "them" if len(unknown) > 1 else "it"
        yield f"no value here for {', '.join(unknown)}, so nothing is said about {them}"
    if given.unread:
        yield f"the value of credential {', '.join(given.unread)} is not known here"
    if deployed.missing:
        first = ", ".join(tilde(each, given.home) for each in deployed.missing[:MISSING])
        more = len(deployed.missing) - MISSING
        yield (
            f"a start makes in repositories, so that it can be mounted read-only: {first}"
            f"{f' and {more} more' if more > 0 else ''}"
        )
    yield from _moved(bundle, deployed)
    wanted = (*bundle.compose.volumes, *(each.name for each in bundle.compose.memory))
    kept = [name for name in deployed.volumes if name not in wanted]
    if kept:
        yield f"volumes that nothing uses any more stay: {', '.join(kept)}"
    lost = [each.removeprefix(VOLUME_PREFIX) for each in kept if each.startswith(VOLUME_PREFIX)]
    new = [
        each.removeprefix(VOLUME_PREFIX)
        for each in bundle.compose.volumes
        if each.startswith(VOLUME_PREFIX) and each not in deployed.volumes
    ]
    if deployed.engine and lost and new:
        yield (
            f"a volume that is renamed begins empty: {', '.join(new)} will hold nothing of "
            f"{', '.join(lost)}"
        )


def _moved(bundle: Bundle, deployed: Deployed) -> Iterator[str]:
    """Yield what another version of the agent means for what it keeps, and for its clients."""
    there = deployed.applied.compose.services.get(AGENT) if deployed.applied else None
    before = there.labels.get(AGENT_LABEL) if there else None
    old = version_in(before) if before else None
    if old is None or old == bundle.agent.version:
        return
    yield f"the agent moves from {bundle.agent.name} {old} to {bundle.agent.version}"
    major = major_of(old)
    if major == bundle.agent.major:
        return
    yield (
        f"sessions and logins of {bundle.agent.name} {major} stay in their volumes, unseen by "
        f"{bundle.agent.label}; going back finds them"
    )
    if not bundle.agent.on_host:
        yield f"the client of {bundle.agent.label} attaches in the sandbox only"
