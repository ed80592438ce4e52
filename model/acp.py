"""The Agent Client Protocol, version 1: which messages there are, and which of their fields pass.

Source: https://agentclientprotocol.com/protocol/schema. What is named here passes between an
editor and the agent of a sandbox; all else is refused, whoever sends it.
"""

from typing import NamedTuple

VERSION = 1
LONGEST = 32 << 20
"""Bytes of a message, its line end not counted."""
DEEPEST = 64
"""Values in each other in a message."""
MOST_PENDING = 1000
"""Requests of one side that may wait for an answer."""

PARSE, INVALID, METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
"""Codes of errors (JSON-RPC 2.0, 5.1)."""


class AcpMethod(NamedTuple):
    """A request, or a notification: what passes of it and of its answer."""

    params: tuple[str, ...]
    result: tuple[str, ...] = ()


INITIALIZE, LIST, CANCEL = "initialize", "session/list", "session/cancel"
UPDATE, ASK = "session/update", "session/request_permission"

_SESSION = ("cwd", "additionalDirectories", "mcpServers")
_STATE = ("modes", "models", "configOptions")
EDITOR_REQUESTS = {
    INITIALIZE: AcpMethod(
        ("protocolVersion", "clientInfo"), ("protocolVersion", "agentCapabilities", "agentInfo")
    ),
    "session/new": AcpMethod(_SESSION, ("sessionId", *_STATE)),
    "session/load": AcpMethod(("sessionId", *_SESSION), _STATE),
    "session/resume": AcpMethod(("sessionId", *_SESSION), _STATE),
    "session/fork": AcpMethod(("sessionId", *_SESSION), ("sessionId", *_STATE)),
    LIST: AcpMethod(("cwd", "cursor"), ("sessions", "nextCursor")),
    "session/close": AcpMethod(("sessionId",)),
    "session/set_mode": AcpMethod(("sessionId", "modeId")),
    "session/set_model": AcpMethod(("sessionId", "modelId")),
    "session/set_config_option": AcpMethod(
        ("sessionId", "configId", "type", "value"), ("configOptions",)
    ),
    "session/prompt": AcpMethod(
        ("sessionId", "messageId", "prompt"), ("stopReason", "usage", "userMessageId")
    ),
}
"""What an editor may ask of the agent. Logging in is not among it: keys are the configuration's."""
EDITOR_NOTIFICATIONS = {CANCEL: AcpMethod(("sessionId",))}
AGENT_REQUESTS = {ASK: AcpMethod(("sessionId", "toolCall", "options"), ("outcome",))}
"""What the agent may ask of an editor: no file, no terminal, no form."""
AGENT_NOTIFICATIONS = {UPDATE: AcpMethod(("sessionId", "update"))}

OPENS = tuple(name for name, each in EDITOR_REQUESTS.items() if "mcpServers" in each.params)
"""What begins a session, or goes on with one."""
INFO = ("name", "title", "version")
CAPABILITIES: dict[str, tuple[str, ...]] = {
    "promptCapabilities": ("image", "audio", "embeddedContext"),
    "sessionCapabilities": ("list", "resume", "fork", "close"),
}
"""What an agent may offer beside `loadSession`, and with the configuration's leave MCP."""
MCP_CAPABILITIES = ("http", "sse")

_CHUNK = ("content", "messageId")
TOOL_CALL = (
    "toolCallId", "title", "kind", "status", "content", "locations", "rawInput", "rawOutput",
)  # fmt: skip
UPDATES: dict[str, tuple[str, ...]] = {
    "user_message_chunk": _CHUNK,
    "agent_message_chunk": _CHUNK,
    "agent_thought_chunk": _CHUNK,
    "tool_call": TOOL_CALL,
    "tool_call_update": TOOL_CALL,
    "plan": ("entries",),
    "available_commands_update": ("availableCommands",),
    "current_mode_update": ("currentModeId",),
    "config_option_update": ("configOptions",),
    "session_info_update": ("title", "updatedAt"),
    "usage_update": ("used", "size", "cost"),
}
BLOCKS: dict[str, tuple[str, ...]] = {
    "text": ("text", "annotations"),
    "image": ("data", "mimeType", "annotations"),
    "audio": ("data", "mimeType", "annotations"),
    "resource_link": (
        "uri", "name", "title", "description", "mimeType", "size", "annotations",
    ),
    "resource": ("resource", "annotations"),
}  # fmt: skip
RESOURCE = ("uri", "text", "blob", "mimeType")
DIFF = ("path", "oldText", "newText")
LOCATION = ("path", "line")
OPTION = ("optionId", "name", "kind")
OPTION_KINDS = {
    "allow_once": "Allow once",
    "allow_always": "Always allow",
    "reject_once": "Reject",
    "reject_always": "Always reject",
}
"""What may be chosen, and what choosing it does."""
LISTED = ("sessionId", "cwd", "title", "updatedAt")
