// What OpenCode's client shows of the sandbox: the workspace's name, in the sidebar.
//
// A plugin is an object with an id and a function. `@opentui/solid` is the client's own copy, which
// it offers to plugins; elements are made by hand, because nothing compiles JSX here.
import { createElement, effect, insert, setProp } from "@opentui/solid"

function sign(api) {
  const text = createElement("text")
  insert(text, `\u{1F512} jailoc / ${process.env.JAILOC_WORKSPACE || "unknown"}`)
  effect(() => setProp(text, "fg", api.theme.current.secondary))
  const box = createElement("box")
  insert(box, text)
  return box
}

export default {
  id: "jailoc",
  async tui(api) {
    if (!process.env.JAILOC) return
    // After the session's own figures (100), before what is installed (200 and more).
    api.slots.register({ order: 150, slots: { sidebar_content: () => sign(api) } })
  },
}
