// Finds the Node that runs the project. The lockfile pins it through Node's own platform packages; where
// none exists for a platform (or it does not run there, as on musl), the machine's own Node 24 will do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './setup-error.js';

export const NODE_MAJOR_MIN = 24;

/**
 * Where the platform package of this machine puts its Node, whether or not it is there.
 * @param {{ root: string, platform?: string, arch?: string }} options
 */
export function pinnedNodePath({ root, platform = process.platform, arch = process.arch }) {
  const system = platform === 'win32' ? 'win' : platform;
  const file = platform === 'win32' ? 'node.exe' : 'node';
  return path.join(root, 'node_modules', `node-${system}-${arch}`, 'bin', file);
}

/**
 * The path of a Node of at least version 24.
 * @param {{ root: string, own?: { path: string, version: string } }} options `own` is the Node running now
 * @returns {string}
 */
export function findNode({ root, own = { path: process.execPath, version: process.versions.node } }) {
  const pinned = pinnedNodePath({ root });
  if (existsSync(pinned) && majorOf(pinned) >= NODE_MAJOR_MIN) return pinned;
  if (Number.parseInt(own.version, 10) >= NODE_MAJOR_MIN) return own.path;
  throw new SetupError(
    [
      `Doorbuster runs on Node ${NODE_MAJOR_MIN} or newer; this is Node ${own.version}, and no pinned Node runs on`,
      `${process.platform}-${process.arch}. Get one, then run the command again:`,
      `  with nvm:       nvm install ${NODE_MAJOR_MIN} && nvm use ${NODE_MAJOR_MIN}`,
      `  with Homebrew:  brew install node@${NODE_MAJOR_MIN}`,
      '  or an installer from nodejs.org',
    ].join('\n'),
  );
}

/** @param {string} node a path; the answer is 0 when that file does not run on this machine */
function majorOf(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? Number.parseInt(stdout.replace(/^v/, ''), 10) || 0 : 0;
}
