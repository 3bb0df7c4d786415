#!/usr/bin/env node
// The door every npm script goes through. It must run on the Node that a machine happens to have (18 and
// up), before anything is installed, so it is plain JavaScript without dependencies. It makes sure that
// node_modules is what the lockfile says, then hands the terminal to the pinned Node 24 running the script
// that was asked for, and ends as that script ends. When there is nothing to do it costs some milliseconds.
//
// npm runs a script through a shell, and a shell keeps npm's signals to itself: dash holds back an interrupt
// until its child has ended, and dies of a SIGTERM without passing it on. That is why the scripts in
// package.json begin with `exec`: this process takes the shell's place, and the signals arrive here.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePackages } from './setup/packages.js';
import { findNode } from './setup/pinned-node.js';
import { SetupError } from './setup/setup-error.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const PARENT_POLL_MS = 500;

/** @param {string[]} argv options for Node, the script's path, relative to the project, and its arguments */
async function run(argv) {
  const scriptAt = argv.findIndex(argument => !argument.startsWith('--'));
  const script = argv[scriptAt];
  if (script === undefined)
    throw new SetupError('Usage: node scripts/run.js [--node-option=…] SCRIPT [arguments]');
  const nodeOptions = argv.slice(0, scriptAt);
  const args = argv.slice(scriptAt + 1);
  await preparePackages({ root, env: process.env });
  const node = findNode({ root });

  // The channel carries nothing. It is there to break: when this process is killed outright, the script
  // sees it close and can end its own children instead of going on unseen.
  const child = spawn(node, [...nodeOptions, path.resolve(root, script), ...args], {
    cwd: process.cwd(),
    // Every program of the project is TypeScript as it is: what Node makes of it is kept, or each start of an
    // installation would make it again, seven times.
    env: { NODE_COMPILE_CACHE: path.join(root, 'node_modules', '.cache', 'node-compile'), ...process.env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to the whole group, so the script may get a signal twice; it is the script's
  // part to count signals that come together as one. Not forwarding would lose a plain `kill` of this one.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  if (process.env['npm_lifecycle_event'] !== undefined) onParentGone(() => child.kill('SIGTERM'));
  child.on('error', error => {
    process.stderr.write(`Could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + os.constants.signals[signal]);
  });
}

/**
 * Calls back when npm is gone, which it can be without a word (kill -9). Only under npm: a shell that started this
 * may well end before it.
 * @param {() => void} onGone
 */
function onParentGone(onGone) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_POLL_MS);
  timer.unref();
}

run(process.argv.slice(2)).catch(error => {
  process.stderr.write(`\n${error instanceof SetupError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
