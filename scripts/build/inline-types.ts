// Brings the named types that a text of declarations imports from other files into that text, so that it stands by
// itself. It reads what the compiler wrote, not arbitrary TypeScript; what it cannot bring along it refuses by name.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Inlined {
  readonly text: string;
  /** The declarations that the text needs, each under its own name. */
  readonly declarations: ReadonlyMap<string, string>;
}

const importedType = /import\("(\.{1,2}\/[^"]+)\.ts"\)\.(\w+)/g;

/** `file` is where the text stands; addresses in it are relative to that. */
export function inlineTypes(text: string, file: string): Inlined {
  const declarations = new Map<string, string>();
  const origins = new Map<string, string>();

  const bring = (name: string, from: string): void => {
    const origin = origins.get(name);
    if (origin === from) return;
    if (origin !== undefined) throw new Error(`Two types are called ${name}: in ${origin} and in ${from}`);
    origins.set(name, from);
    const source = existsSync(from) ? readFileSync(from, 'utf8') : '';
    // Ids are texts with the server's own brand.
    if (path.basename(from) === 'ids.d.ts') {
      declarations.set(name, `type ${name} = string;`);
      return;
    }
    const found = new RegExp(
      `^export (type ${name} = [^]*?;|interface ${name} [^]*?\\n\\})(?=\\n(?:export|import|declare|/\\*|//|$(?![^])))`,
      'm',
    ).exec(source)?.[1];
    if (found === undefined)
      throw new Error(`The API's type leads to ${name}, which ${from} does not spell out`);
    declarations.set(name, withoutImports(found, from));
    bringNamed(found, source, from);
  };
  /** What a declaration names of its own file and of what that file imports. */
  const bringNamed = (declaration: string, source: string, from: string): void => {
    const used = new Set(declaration.match(/\b[A-Z]\w*\b/g));
    for (const [, names = '', address = ''] of source.matchAll(
      /^import (?:type )?\{([^}]*)\} from '([^']+)'/gm,
    )) {
      for (const name of names.split(',').map(each => each.trim().replace(/^type /, ''))) {
        if (!used.has(name)) continue;
        if (!address.startsWith('.')) throw new Error(`The API's type leads to ${name} of ${address}`);
        bring(name, resolveTypes(address.replace(/\.ts$/, ''), from));
      }
    }
    for (const [, name = ''] of source.matchAll(/^export (?:type|interface) (\w+)/gm)) {
      if (used.has(name) && origins.get(name) !== from) bring(name, from);
    }
  };
  const withoutImports = (declaration: string, from: string): string =>
    declaration.replaceAll(importedType, (_whole, address: string, name: string) => {
      bring(name, resolveTypes(address, from));
      return name;
    });
  return { text: withoutImports(text, file), declarations };
}

function resolveTypes(address: string, from: string): string {
  return path.resolve(path.dirname(from), `${address}.d.ts`);
}
