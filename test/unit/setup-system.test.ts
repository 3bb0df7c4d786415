// The set-up of what npm does not bring, on a machine made of small shell scripts: its PATH has nothing but
// what a test puts there, and its policy for starting services lies in a folder of the test.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareChromium } from '../../scripts/setup/chromium.ts';
import { findProgram } from '../../scripts/setup/find-program.ts';
import { prepareLuacheck } from '../../scripts/setup/luacheck.ts';
import { prepareRedisServer } from '../../scripts/setup/redis-server.ts';
import { type InstallOptions, installSystemPackage } from '../../scripts/setup/system-package.ts';

let machine: string;
let bin: string;
let said: string[];

beforeEach(() => {
  machine = mkdtempSync(path.join(tmpdir(), 'doorbuster-machine-'));
  bin = path.join(machine, 'bin');
  mkdirSync(bin);
  said = [];
  for (const tool of ['sh', 'grep', 'rm', 'chmod', 'cat', 'printf', 'ls']) {
    const real = findProgram(tool);
    if (real !== undefined) symlinkSync(real, path.join(bin, tool));
  }
});

afterEach(() => {
  rmSync(machine, { recursive: true, force: true });
});

function program(name: string, body: string): void {
  writeFileSync(path.join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(path.join(bin, name), 0o755);
}

/** An apt-get that writes down its calls and whether services were forbidden then, and can bring a program. */
function aptGet(brings: { name: string; body: string } | undefined, status = 0): void {
  const bring =
    brings === undefined
      ? ''
      : `printf '#!/bin/sh\\n${brings.body}\\n' > ${bin}/${brings.name}; chmod 755 ${bin}/${brings.name}`;
  program(
    'apt-get',
    `echo "$* policy=$([ -e ${policyPath()} ] && cat ${policyPath()} | grep -c 'exit 101')" >> ${machine}/apt-calls
case "$*" in *install*) ${bring}
echo 'E: what apt said last'; exit ${status};; esac`,
  );
}

function policyPath(): string {
  return path.join(machine, 'policy-rc.d');
}

function aptCalls(): string[] {
  const file = path.join(machine, 'apt-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

function options(more: Partial<InstallOptions> = {}): InstallOptions {
  return {
    env: { PATH: bin },
    platform: 'linux',
    isRoot: true,
    policyPath: policyPath(),
    say: line => said.push(line),
    ...more,
  };
}

describe('installing a package of the system', () => {
  it('forbids services to start while apt works, and takes the ban away again', async () => {
    aptGet(undefined);
    expect(await installSystemPackage({ apt: 'ware' }, options())).toEqual({ kind: 'installed' });
    expect(aptCalls()).toHaveLength(2);
    expect(aptCalls()[0]).toMatch(/ update policy=1$/);
    expect(aptCalls()[1]).toMatch(/ install --yes --no-install-recommends ware policy=1$/);
    expect(existsSync(policyPath())).toBe(false);
    expect(said[0]).toContain('Installing ware with apt-get');
    expect(said[1]).toMatch(/Installed ware with apt-get in \d+\.\d s/);
  });

  it("leaves the machine's own policy as it is", async () => {
    aptGet(undefined);
    writeFileSync(policyPath(), '#!/bin/sh\nexit 0\n');
    await installSystemPackage({ apt: 'ware' }, options());
    expect(readFileSync(policyPath(), 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });

  it('takes away the policy of a set-up that was killed before it could', async () => {
    aptGet(undefined);
    program('apt-get', `cat ${policyPath()} > ${machine}/seen`);
    await installSystemPackage({ apt: 'ware' }, options());
    writeFileSync(policyPath(), readFileSync(path.join(machine, 'seen')));
    await installSystemPackage({ apt: 'ware' }, options());
    expect(existsSync(policyPath())).toBe(false);
  });

  it('takes the ban away when apt fails, and hands on what apt said', async () => {
    aptGet(undefined, 100);
    const outcome = await installSystemPackage({ apt: 'ware' }, options());
    expect(outcome).toMatchObject({ kind: 'impossible' });
    expect(outcome.kind === 'impossible' && outcome.reason).toContain('E: what apt said last');
    expect(existsSync(policyPath())).toBe(false);
  });

  it('disables the service at boot, too', async () => {
    aptGet(undefined);
    program('systemctl', `echo "systemctl $*" >> ${machine}/service-calls`);
    program('update-rc.d', `echo "update-rc.d $*" >> ${machine}/service-calls`);
    await installSystemPackage({ apt: 'redis-server', services: ['redis-server'] }, options());
    const calls = readFileSync(path.join(machine, 'service-calls'), 'utf8').trim();
    expect(['systemctl disable --now redis-server', 'update-rc.d redis-server disable']).toContain(calls);
  });

  it('goes through sudo where that asks no password', async () => {
    aptGet(undefined);
    program('sudo', '[ "$1" = -n ] && shift && exec "$@"');
    program('true', 'exit 0');
    expect(await installSystemPackage({ apt: 'ware' }, options({ isRoot: false }))).toEqual({
      kind: 'installed',
    });
    expect(said[0]).toContain('with sudo apt-get');
  });

  it('does not try where sudo would ask for a password', async () => {
    aptGet(undefined);
    program('sudo', 'exit 1');
    const outcome = await installSystemPackage({ apt: 'ware' }, options({ isRoot: false }));
    expect(outcome).toMatchObject({ kind: 'impossible', reason: expect.stringContaining('sudo') });
    expect(aptCalls()).toEqual([]);
  });

  it('uses brew on macOS', async () => {
    program('brew', `echo "$*" > ${machine}/brew-calls`);
    await installSystemPackage(
      { apt: 'redis-server', brew: 'redis' },
      options({ platform: 'darwin', isRoot: false }),
    );
    expect(readFileSync(path.join(machine, 'brew-calls'), 'utf8')).toBe('install redis\n');
  });
});

describe('the set-up of Redis', () => {
  const redis = (version: string) => ({
    name: 'redis-server',
    body: `echo "Redis server v=${version} sha=0"`,
  });

  it('takes the one on the PATH and installs nothing', async () => {
    aptGet(undefined);
    program('redis-server', redis('7.0.15').body);
    expect(await prepareRedisServer(options())).toBe(path.join(bin, 'redis-server'));
    expect(aptCalls()).toEqual([]);
    expect(said).toEqual([]);
  });

  it('installs one where there is none', async () => {
    aptGet({ name: 'redis-server', body: 'echo Redis server v=7.0.15 sha=0' });
    expect(await prepareRedisServer(options())).toBe(path.join(bin, 'redis-server'));
    expect(aptCalls()).toHaveLength(2);
  });

  it('names the three ways out where it cannot install one', async () => {
    const failure = await prepareRedisServer(options()).catch((error: unknown) => String(error));
    expect(failure).toContain('apt-get install redis-server');
    expect(failure).toContain('docker run');
    expect(failure).toContain('REDIS_URL=');
    expect(failure).toContain('REDIS_JOBS_URL=');
  });

  it('does not take an old one, and says which it found', async () => {
    program('redis-server', redis('6.0.16').body);
    await expect(prepareRedisServer(options())).rejects.toThrow(/bin\/redis-server is version 6\.0\.16/);
  });
});

describe('the set-up of the tools for checks and tests', () => {
  it('takes the browser that CHROMIUM_PATH names, and no other', async () => {
    program('my-chrome', '');
    program('chromium', '');
    const named = path.join(bin, 'my-chrome');
    expect(await prepareChromium(options({ env: { PATH: bin, CHROMIUM_PATH: named } }))).toEqual({
      kind: 'found',
      path: named,
    });
    expect(await prepareChromium(options({ env: { PATH: bin, CHROMIUM_PATH: '/nowhere' } }))).toMatchObject({
      kind: 'missing',
      reason: expect.stringContaining('/nowhere'),
    });
  });

  it('takes the browser without windows before one with them', async () => {
    program('google-chrome', '');
    program('chromium', '');
    expect(await prepareChromium(options())).toEqual({ kind: 'found', path: path.join(bin, 'chromium') });
    program('chromium-headless-shell', '');
    const found = { kind: 'found', path: path.join(bin, 'chromium-headless-shell') };
    expect(await prepareChromium(options())).toEqual(found);
  });

  it('installs the browser without windows, and the whole one where the system has no such package', async () => {
    const chromium = path.join(bin, 'chromium');
    program(
      'apt-get',
      `case "$*" in *headless-shell) exit 100;; *install*) printf '#!/bin/sh\\n' > ${chromium}; chmod 755 ${chromium};; esac`,
    );
    expect(await prepareChromium(options())).toEqual({ kind: 'found', path: chromium });
    expect(said.filter(line => line.startsWith('Installing '))).toEqual([
      expect.stringContaining('Installing chromium-headless-shell with apt-get'),
      expect.stringContaining('Installing chromium with apt-get'),
    ]);
  });

  it('says why there is no browser and no luacheck where they cannot be installed', async () => {
    aptGet(undefined, 100);
    for (const outcome of [await prepareChromium(options()), await prepareLuacheck(options())]) {
      expect(outcome).toMatchObject({
        kind: 'missing',
        reason: expect.stringContaining('E: what apt said last'),
      });
    }
  });
});
