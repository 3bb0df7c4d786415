// Makes node_modules what package-lock.json says. What is installed is read from npm's own record in
// node_modules, which npm writes last: an install that was cut short, or a lockfile that changed, shows.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pinnedNodePath } from './pinned-node.js';
import { SetupError } from './setup-error.js';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages
 */

/**
 * Installs the packages if they are not those of the lockfile. Resolves to whether it had to.
 * @param {{ root: string, env: NodeJS.ProcessEnv, say?: (line: string) => void }} options
 * @returns {Promise<boolean>}
 */
export async function preparePackages({ root, env, say = line => process.stderr.write(`${line}\n`) }) {
  const reason = whyInstall(root);
  if (reason === undefined) return false;
  say(`Installing packages (${reason}) …`);
  const startedMs = Date.now();
  const { code, output } = await npmCi(root, env);
  if (code !== 0) {
    throw new SetupError(
      [
        output.trimEnd(),
        '',
        `npm ci failed (exit status ${code}); the packages are not installed.`,
        'If the network or a proxy was the reason, run the same command again: it goes on where it stopped.',
        'If package.json and package-lock.json disagree, run "npm install" and look at what changed.',
      ].join('\n'),
    );
  }
  say(`Packages installed in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
  return true;
}

/**
 * Why an install is due, in words; undefined when none is.
 * @param {string} root
 */
export function whyInstall(root) {
  const locked = readPackages(path.join(root, 'package-lock.json'));
  if (locked === undefined) {
    throw new SetupError('package-lock.json is missing or unreadable; is this a whole copy of the project?');
  }
  if (!existsSync(path.join(root, 'node_modules'))) return 'there is no node_modules yet';
  const installed = readPackages(path.join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'an earlier install did not finish';
  for (const [place, wanted] of Object.entries(locked)) {
    // The entry '' is the project itself, and optional packages are absent on other platforms.
    if (place === '' || wanted.link) continue;
    const found = installed[place];
    if (found === undefined && wanted.optional) continue;
    if (found?.version !== wanted.version || found?.integrity !== wanted.integrity) {
      return 'package-lock.json has changed';
    }
  }
  const pinned = pinnedNodePath({ root });
  const place = path
    .relative(root, path.dirname(path.dirname(pinned)))
    .split(path.sep)
    .join('/');
  if (locked[place] !== undefined && !existsSync(pinned)) return 'the pinned Node is missing';
  return undefined;
}

/**
 * @param {string} file
 * @returns {LockedPackages | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number, output: string }>}
 */
function npmCi(root, env) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  // Under "npm start" the environment names the npm that is running. Calling that one spares Windows' shell
  // wrappers and takes the npm that the user chose.
  const own = env['npm_execpath'];
  const viaOwn = own !== undefined && path.basename(own) === 'npm-cli.js' && existsSync(own);
  const command = viaOwn ? process.execPath : 'npm';
  return new Promise(resolve => {
    let output = '';
    const child = spawn(command, viaOwn ? [own, ...args] : args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: !viaOwn && process.platform === 'win32',
    });
    const add = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', error => resolve({ code: 127, output: `Could not run npm: ${error.message}` }));
    child.on('close', code => resolve({ code: code ?? 1, output }));
  });
}
