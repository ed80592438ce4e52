// The language server of taplo as a process: one JSON-RPC message a line on the standard streams.
// Its first argument is the folder that npm has installed it into.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import path from "node:path";
import { fileURLToPath } from "node:url";

const load = createRequire(path.join(process.argv[2], "node_modules", "x.js"));
const { TaploLsp } = load("@taplo/lsp");

const write = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const server = await TaploLsp.initialize(
  {
    cwd: () => process.cwd(),
    envVar: () => "",
    envVars: () => [],
    findConfigFile: () => undefined,
    glob: () => [],
    isAbsolute: (each) => path.isAbsolute(each),
    now: () => new Date(),
    readFile: (each) => readFile(each),
    writeFile: () => Promise.reject(new Error("read-only")),
    stderr: process.stderr,
    stdErrAtty: () => false,
    stdin: process.stdin,
    stdout: process.stderr,
    urlToFilePath: (url) => (url.startsWith("file:") ? fileURLToPath(url) : url),
    // What a server asks the network for does not exist here.
    fetch: { fetch: () => Promise.reject(new Error("no network")), Headers, Request, Response },
  },
  { onMessage: write },
);
for await (const line of createInterface({ input: process.stdin })) server.send(JSON.parse(line));
