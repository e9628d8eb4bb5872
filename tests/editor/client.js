// A client of the YAML language server over stdio: opens files, gathers what is said of them, and asks
// for completions.  What is expected: README.md beside it.
'use strict';

const fs = require('fs');
const path = require('path');
const { spawn } = require('child_process');
const { pathToFileURL } = require('url');

const ROOT = path.resolve(__dirname, '..', '..');
const SERVER = path.join(ROOT, 'build/editor/node_modules/yaml-language-server/bin/yaml-language-server');
const PATIENCE_MS = 60000;

const settings = {
  yaml: { validate: true, completion: true, hover: true, schemaStore: { enable: false, url: '' } },
};

let failed = 0;

function complain(text) {
  failed += 1;
  console.error(text);
}

// --- the protocol: Content-Length, an empty line, JSON -------------------------------------------

class Server {
  constructor() {
    this.process = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdout.on('data', (bytes) => this.take(bytes));
    this.bytes = Buffer.alloc(0);
    this.next = 1;
    this.waiting = new Map(); // requests of ours, by number
    this.findings = new Map(); // by URI, who waits for them
  }

  take(bytes) {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    for (;;) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.bytes.toString('utf8', 0, end))[1]);
      if (this.bytes.length < end + 4 + length) return;
      const message = JSON.parse(this.bytes.toString('utf8', end + 4, end + 4 + length));
      this.bytes = this.bytes.subarray(end + 4 + length);
      this.handle(message);
    }
  }

  handle(message) {
    if (message.method === undefined) {
      this.waiting.get(message.id)(message);
      this.waiting.delete(message.id);
    } else if (message.id !== undefined) {
      this.send({ id: message.id, result: this.answer(message) });
    } else if (message.method === 'textDocument/publishDiagnostics') {
      const wanted = this.findings.get(message.params.uri);
      if (wanted) wanted(message.params.diagnostics);
    }
  }

  answer(message) {
    if (message.method !== 'workspace/configuration') return null;
    return message.params.items.map((item) => settings[item.section] || null);
  }

  send(message) {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  ask(method, params) {
    const id = this.next++;
    this.send({ id, method, params });
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (m) => (m.error ? reject(new Error(`${method}: ${m.error.message}`)) : resolve(m.result)));
    });
  }

  tell(method, params) {
    this.send({ method, params });
  }

  async start() {
    await this.ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(ROOT).href,
      workspaceFolders: [{ uri: pathToFileURL(ROOT).href, name: 'attent' }],
      capabilities: {
        textDocument: {
          completion: { completionItem: { documentationFormat: ['markdown', 'plaintext'], snippetSupport: true } },
          publishDiagnostics: {},
        },
        workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
      },
    });
    this.tell('initialized', {});
    this.tell('workspace/didChangeConfiguration', { settings });
  }

  // Open a text under a file's name; what is said of it.
  open(file, text) {
    const uri = pathToFileURL(path.join(ROOT, file)).href;
    const said = new Promise((resolve) => this.findings.set(uri, resolve));
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return said;
  }

  complete(file, line, character) {
    const uri = pathToFileURL(path.join(ROOT, file)).href;
    return this.ask('textDocument/completion', { textDocument: { uri }, position: { line, character } });
  }

  async stop() {
    await this.ask('shutdown', null);
    this.tell('exit');
  }
}

// --- good files -----------------------------------------------------------------------------------

async function checkGood(server) {
  const moments = fs.readdirSync(path.join(ROOT, 'rules/moments')).filter((name) => name.endsWith('.yaml'));
  const files = ['rules/facts.yaml', 'rules/policy.yaml', ...moments.map((name) => `rules/moments/${name}`)];

  for (const file of files) {
    const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
    if (!text.startsWith('# yaml-language-server: $schema=')) complain(`${file}: names no schema`);
    for (const finding of await server.open(file, text))
      complain(`${file}:${finding.range.start.line + 1}: ${finding.message}`);
  }
  return files.length;
}

// --- bad files ------------------------------------------------------------------------------------

function withSchema(name, text) {
  const kind = name.split(/[-.]/)[0];
  const folder = kind === 'moment' || kind === 'test' ? 'rules/moments' : 'rules';
  const up = folder === 'rules' ? '../' : '../../';
  return { file: `${folder}/${name}`, text: `# yaml-language-server: $schema=${up}schemas/${kind}.schema.json\n${text}` };
}

async function checkBad(server, name) {
  const { file, text } = withSchema(name, fs.readFileSync(path.join(__dirname, name), 'utf8'));
  const said = new Map(); // by line

  for (const finding of await server.open(file, text)) {
    const line = finding.range.start.line;
    said.set(line, `${said.get(line) || ''}${finding.message}\n`);
  }
  text.split('\n').forEach((line, number) => {
    const mark = /#! (.*)$/.exec(line);
    const words = said.get(number);
    const place = `${name}:${number}`; // the first line is ours

    if (!mark && words) complain(`${place}: not expected: ${words}`);
    else if (mark && !words) complain(`${place}: nothing was said of "${mark[1]}"`);
    else if (mark && !words.includes(mark[1])) complain(`${place}: not "${mark[1]}": ${words}`);
  });
}

// --- completion -----------------------------------------------------------------------------------

async function checkCompletion(server, name) {
  const { file, text } = withSchema(name, fs.readFileSync(path.join(__dirname, name), 'utf8'));
  const lines = text.split('\n');
  const line = lines.findIndex((each) => /#\? /.test(each));
  const column = lines[line].indexOf('#?');
  const wanted = lines[line].slice(column + 3).trim().split(/ +/);

  lines[line] = lines[line].slice(0, column);
  await server.open(file, lines.join('\n'));
  const answer = await server.complete(file, line, column);
  const items = new Map((answer.items || answer).map((item) => [item.label, item]));
  for (const word of wanted) {
    const item = items.get(word);
    if (!item) {
      complain(`${name}: "${word}" is not offered; there is ${[...items.keys()].join(', ')}`);
      continue;
    }
    const words = item.documentation && (item.documentation.value || item.documentation);
    if (lines[line].trim().endsWith(':')) continue; // a value needs no words
    if (!words) complain(`${name}: "${word}" is offered without a description`);
  }
}

// --- all ------------------------------------------------------------------------------------------

async function main() {
  const server = new Server();
  const names = fs.readdirSync(__dirname);
  const bad = names.filter((name) => name.endsWith('.bad.yaml'));
  const completions = names.filter((name) => name.endsWith('.completion.yaml'));

  await server.start();
  const good = await checkGood(server);
  for (const name of bad) await checkBad(server, name);
  for (const name of completions) await checkCompletion(server, name);
  await server.stop();
  console.log(`${good} good files, ${bad.length} bad ones, ${completions.length} completions: ${failed} wrong`);
  process.exit(failed === 0 ? 0 : 1);
}

setTimeout(() => {
  console.error(`no end within ${PATIENCE_MS / 1000} s`);
  process.exit(1);
}, PATIENCE_MS).unref();
main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
