// The door of every command, in a small copy of the project: the real scripts/run.js and its set-up, a lockfile
// of its own, and an npm that only writes down what it was asked.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preparePackages, whyInstall } from '../../scripts/setup/packages.js';
import { findNode, pinnedNodePath } from '../../scripts/setup/pinned-node.js';

const root = path.resolve(import.meta.dirname, '../..');

// What npm does as far as the set-up can tell: it removes the folder, and writes its record at the very end.
const NPM = `
const fs = require('node:fs');
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_FAILS) { console.error('npm error code EFAKE'); process.exit(7); }
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules');
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;

let project: string;
let env: NodeJS.ProcessEnv;
const groups: number[] = [];

beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), 'doorbuster-setup-'));
  cpSync(path.join(root, 'scripts/run.js'), path.join(project, 'scripts/run.js'));
  cpSync(path.join(root, 'scripts/setup'), path.join(project, 'scripts/setup'), { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
  mkdirSync(path.join(project, 'npm'));
  writeFileSync(path.join(project, 'npm/package.json'), '{ "type": "commonjs" }');
  writeFileSync(path.join(project, 'npm/npm-cli.js'), NPM);
  writeLock('1.0.0');
  env = { PATH: process.env['PATH'], CI: 'true', npm_execpath: path.join(project, 'npm/npm-cli.js') };
});

afterEach(() => {
  for (const group of groups.splice(0)) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // All of it has ended, as it should.
    }
  }
  rmSync(project, { recursive: true, force: true });
});

function writeLock(version: string): void {
  const packages = {
    '': { name: 'small' },
    'node_modules/ware': { version, integrity: `sha512-${version}` },
    'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-x', optional: true },
  };
  writeFileSync(path.join(project, 'package-lock.json'), JSON.stringify({ packages }));
}

function writeScript(text: string): string {
  writeFileSync(path.join(project, 'scripts/asked.ts'), text);
  return 'scripts/asked.ts';
}

function run(args: string[]) {
  return spawnSync(process.execPath, ['scripts/run.js', ...args], {
    cwd: project,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  });
}

function npmCalls(): string[] {
  const file = path.join(project, 'npm-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

describe('scripts/run.js', () => {
  it('installs by the lockfile and without install scripts, says so, and does it once', () => {
    const script = writeScript("console.log('ran', process.argv.slice(2).join(' '));");
    const first = run([script, '--crowd', '5']);
    expect(first.stderr).toMatch(/Installing packages \(there is no node_modules yet\)/);
    expect(first.stderr).toMatch(/Packages installed in \d+\.\d s/);
    expect(first.stdout).toBe('ran --crowd 5\n');
    expect(first.status).toBe(0);

    const second = run([script]);
    expect(second.stderr).toBe('');
    expect(second.stdout).toBe('ran \n');
    expect(npmCalls()).toHaveLength(1);
    expect(npmCalls()[0]).toMatch(/^ci --ignore-scripts /);
  });

  it('installs again when the lockfile has changed', () => {
    const script = writeScript('');
    run([script]);
    writeLock('1.0.1');
    expect(run([script]).stderr).toContain('package-lock.json has changed');
    expect(npmCalls()).toHaveLength(2);
  });

  it('installs again when an earlier install did not come to its end', () => {
    mkdirSync(path.join(project, 'node_modules/ware'), { recursive: true });
    expect(run([writeScript('')]).stderr).toContain('an earlier install did not finish');
    expect(npmCalls()).toHaveLength(1);
  });

  it('shows what a failing npm said, and what to do, and does not run the script', () => {
    env['NPM_FAILS'] = '1';
    const { status, stdout, stderr } = run([writeScript("console.log('ran');")]);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('npm error code EFAKE');
    expect(stderr).toContain('run the same command again');
  });

  it('ends with the status of the script', () => {
    expect(run([writeScript('process.exit(42);')]).status).toBe(42);
  });

  it('ends as the script did when a signal ended it', () => {
    expect(run([writeScript("process.kill(process.pid, 'SIGKILL');")]).status).toBe(137);
  });

  it('hands a signal on to the script and waits for its end', async () => {
    const script = writeScript(`
      process.on('SIGTERM', () => { console.log('told to end'); process.exit(5); });
      setInterval(() => {}, 1000);
      console.log('up');
    `);
    const { child, up, end } = start(script);
    await up;
    child.kill('SIGTERM');
    const [status, output] = await end;
    expect(output).toContain('told to end');
    expect(status).toBe(5);
  });

  it('lets the script notice when it is killed outright', async () => {
    const mark = path.join(project, 'noticed');
    const script = writeScript(`
      import { writeFileSync } from 'node:fs';
      process.on('disconnect', () => { writeFileSync(${JSON.stringify(mark)}, ''); process.exit(0); });
      setInterval(() => {}, 1000);
      console.log('up');
    `);
    const { child, up, end } = start(script);
    await up;
    child.kill('SIGKILL');
    // The script holds the pipe as well, so its end is the end of the output.
    await end;
    expect(existsSync(mark)).toBe(true);
  });

  it('says that the copy is not whole when there is no lockfile', () => {
    rmSync(path.join(project, 'package-lock.json'));
    const { status, stderr } = run([writeScript('')]);
    expect(status).toBe(1);
    expect(stderr).toContain('package-lock.json is missing');
    expect(stderr).not.toContain('    at ');
  });
});

describe('scripts/run.js under npm', () => {
  // The command that npm is given is the project's own, up to the name of the script.
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const command = String(scripts.start).replace('scripts/start.ts', 'scripts/asked.ts');

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'ends the script in an orderly way when npm alone gets a %s',
    async signal => {
      const mark = path.join(project, 'ended');
      writeScript(`
        import { writeFileSync } from 'node:fs';
        const end = signal => { writeFileSync(${JSON.stringify(mark)}, signal); process.exit(0); };
        for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end);
        setInterval(() => {}, 1000);
        console.log('up');
      `);
      writeFileSync(
        path.join(project, 'package.json'),
        JSON.stringify({ type: 'module', scripts: { start: command } }),
      );
      mkdirSync(path.join(project, 'node_modules'));
      cpSync(path.join(project, 'package-lock.json'), path.join(project, 'node_modules/.package-lock.json'));
      // The copy has no pinned Node, so the one that runs this test stands in for the machine's own.
      env['PATH'] = `${path.dirname(process.execPath)}${path.delimiter}${env['PATH']}`;
      const npm = follow('npm', ['start', '--silent']);
      await npm.up;
      npm.child.kill(signal);
      // npm and the script share the pipe, so it closes when both have ended.
      await npm.end;
      expect(readFileSync(mark, 'utf8')).toBe(signal === 'SIGKILL' ? 'SIGTERM' : signal);
    },
  );
});

function start(script: string) {
  return follow(process.execPath, ['scripts/run.js', script]);
}

/** `up` is the first output of the program, `end` its status and all of its output. */
function follow(command: string, args: string[]) {
  const child = spawn(command, args, {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    // A group of its own, so that what a failing test leaves can be ended as one.
    detached: true,
  });
  if (child.pid !== undefined) groups.push(child.pid);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const end = once(child, 'close').then(([status]): [unknown, string] => [status, output]);
  const early = end.then(([status]) => {
    throw new Error(`it ended with ${String(status)} before it was up`);
  });
  const up = Promise.race([once(child.stdout, 'data'), early]);
  early.catch(() => {});
  return { child, up, end };
}

describe('the set-up of the packages', () => {
  it('is content with what a hand-made install left, and with packages of other platforms missing', async () => {
    const lock = JSON.parse(readFileSync(path.join(project, 'package-lock.json'), 'utf8'));
    delete lock.packages['node_modules/elsewhere'];
    mkdirSync(path.join(project, 'node_modules'));
    writeFileSync(path.join(project, 'node_modules/.package-lock.json'), JSON.stringify(lock));
    expect(await preparePackages({ root: project, env })).toBe(false);
    expect(npmCalls()).toEqual([]);
  });

  it('sees it when the pinned Node of this platform was removed', () => {
    const pinned = pinnedNodePath({ root: project });
    const place = path
      .relative(project, path.dirname(path.dirname(pinned)))
      .split(path.sep)
      .join('/');
    const packages = { [place]: { version: '24.0.0', integrity: 'sha512-n', optional: true } };
    writeFileSync(path.join(project, 'package-lock.json'), JSON.stringify({ packages }));
    mkdirSync(path.join(project, 'node_modules'));
    writeFileSync(path.join(project, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
    expect(whyInstall(project)).toBe('the pinned Node is missing');
  });

  it('finds nothing to do in the project itself', () => {
    expect(whyInstall(root)).toBeUndefined();
  });

  it("takes the machine's own Node where no pinned one exists, if it is new enough", () => {
    const own = { path: '/opt/node/bin/node', version: '24.3.0' };
    expect(findNode({ root: project, own })).toBe(own.path);
  });

  it('takes the own Node where the pinned one does not run on this machine', () => {
    const pinned = pinnedNodePath({ root: project });
    mkdirSync(path.dirname(pinned), { recursive: true });
    writeFileSync(pinned, 'no program', { mode: 0o755 });
    const own = { path: '/opt/node/bin/node', version: '24.3.0' };
    expect(findNode({ root: project, own })).toBe(own.path);
  });

  it('says how to get a Node where there is none that will do', () => {
    const own = { path: '/usr/bin/node', version: '20.20.2' };
    expect(() => findNode({ root: project, own })).toThrow(
      /Node 24 or newer; this is Node 20\.20\.2[^]*nvm install 24/,
    );
  });
});
