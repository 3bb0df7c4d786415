// Installs one package of the operating system: by apt on Debian and its relatives (as root, or where sudo
// asks no password), by Homebrew on macOS. Nothing here ever waits for an answer from the keyboard.
//
// Debian starts a service as soon as its package is unpacked, and again at every boot. The project starts its
// own processes on its own ports, so both are prevented: a policy-rc.d that forbids starting is laid for the
// time of the install, if the machine has none, and the services named are disabled afterwards.
import { spawn } from 'node:child_process';
import { findProgram } from './find-program.ts';

export type SystemPackage = { apt: string; brew?: string; services?: string[] };
export type InstallOutcome = { kind: 'installed' } | { kind: 'impossible'; reason: string };
export type InstallOptions = {
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  isRoot?: boolean;
  /** Where Debian looks for the policy; a test has it elsewhere. */
  policyPath?: string;
  say?: (line: string) => void;
};

// The marker tells a policy that a killed set-up left behind from one that the machine's owner wrote.
const POLICY_MARK = '# laid by the set-up of doorbuster; may be deleted';

// One script for one shell, so that a trap takes the policy away however the install ends.
const APT_SCRIPT = `
set -u
policy=$1; package=$2; shift 2
if [ -e "$policy" ] && grep -qF '${POLICY_MARK}' "$policy"; then rm -f "$policy"; fi
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' HUP INT TERM
  printf '#!/bin/sh\\n%s\\nexit 101\\n' '${POLICY_MARK}' > "$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=120 update || echo 'The package lists could not be refreshed; trying with those at hand.' >&2
apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$package" || exit 1
for service in "$@"; do
  if [ -d /run/systemd/system ]; then systemctl disable --now "$service" >/dev/null 2>&1 || true
  elif command -v update-rc.d >/dev/null; then update-rc.d "$service" disable >/dev/null 2>&1 || true; fi
done
`;

export async function installSystemPackage(
  wanted: SystemPackage,
  options: InstallOptions = {},
): Promise<InstallOutcome> {
  const { env = process.env, platform = process.platform, say = sayOnStderr } = options;
  const isRoot = options.isRoot ?? process.getuid?.() === 0;
  const policyPath = options.policyPath ?? '/usr/sbin/policy-rc.d';

  const command = await installCommand({ wanted, env, platform, isRoot, policyPath });
  if (command.kind === 'impossible') return command;
  say(`Installing ${command.label} …`);
  const startedMs = Date.now();
  const { code, output } = await run(command.argv, env);
  if (code !== 0) {
    return { kind: 'impossible', reason: `${command.label} failed:\n${lastLines(output, 12)}` };
  }
  say(`Installed ${command.label} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
  return { kind: 'installed' };
}

type Command = { kind: 'command'; label: string; argv: [string, ...string[]] };

async function installCommand(options: {
  wanted: SystemPackage;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
  isRoot: boolean;
  policyPath: string;
}): Promise<Command | Extract<InstallOutcome, { kind: 'impossible' }>> {
  const { wanted, env, platform, isRoot, policyPath } = options;
  if (platform === 'linux' && findProgram('apt-get', env) !== undefined) {
    const script = [
      'sh',
      '-c',
      APT_SCRIPT,
      'sh',
      policyPath,
      wanted.apt,
      ...(wanted.services ?? []),
    ] as const;
    if (isRoot) return { kind: 'command', label: `${wanted.apt} with apt-get`, argv: [...script] };
    if (findProgram('sudo', env) !== undefined && (await run(['sudo', '-n', 'true'], env)).code === 0) {
      return { kind: 'command', label: `${wanted.apt} with sudo apt-get`, argv: ['sudo', '-n', ...script] };
    }
    return { kind: 'impossible', reason: 'apt-get needs root, and sudo is absent or asks for a password' };
  }
  if (platform === 'darwin' && wanted.brew !== undefined && findProgram('brew', env) !== undefined) {
    return { kind: 'command', label: `${wanted.brew} with brew`, argv: ['brew', 'install', wanted.brew] };
  }
  return { kind: 'impossible', reason: 'this machine has no package manager that the set-up knows' };
}

function run(argv: [string, ...string[]], env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  const [command, ...args] = argv;
  return new Promise(resolve => {
    let output = '';
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const add = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', error => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.on('close', code => resolve({ code: code ?? 1, output }));
  });
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
