/** The import rules of the design as a pure function over a list of files, so that the rules themselves can be tested. */

export interface SourceFile {
  /** Relative to the repository: `src/core/graph.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly rule: string;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const SIBLINGS = ['providers', 'store', 'metrics', 'notify', 'web'];
const CLOUD_SDKS: ReadonlyArray<{ readonly provider: string; readonly sdk: RegExp }> = [
  { provider: 'aws', sdk: /^@(aws-sdk|smithy|aws-crypto)\// },
  { provider: 'azure', sdk: /^@azure\// },
];
/** What opens something: files, sockets, databases, processes, threads. */
const OPENERS = /^node:(fs|fs\/promises|net|http|https|http2|tls|dgram|sqlite|child_process|worker_threads|cluster)$/;

/** Every module that a file imports, statically or lazily. Comments are no imports. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
  return [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The first folder below src, or the file itself: `core`, `app.ts`. */
function room(path: string): string {
  return path.split('/')[1] ?? '';
}

export function violations(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = [];
  for (const { path, text } of files) {
    const here = room(path);
    const report = (rule: string) => found.push({ path, rule });
    const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

    for (const specifier of importsOf(text)) {
      const local = specifier.startsWith('.');
      const there = local ? room(resolve(path, specifier)) : '';
      if (here === 'core' && there !== 'core') report(`core imports only core, not ${specifier}`);
      if (local && here !== there && SIBLINGS.includes(here) && SIBLINGS.includes(there)) {
        report(`${here} does not import ${there}`);
      }
      if (local && there === 'sandbox' && here !== 'sandbox' && !/^src\/cli\/demo(-story)?\.ts$/.test(path)) {
        report('only the demo and tests load the sandbox');
      }
      if (here === 'sandbox' && there !== 'sandbox' && local) report('the sandbox knows nothing of keyvigil');
      if (here === 'sandbox' && !local && !specifier.startsWith('node:')) report('the sandbox needs nothing but Node');
      if (local && (there === 'app.ts' || there === 'cli') && !['cli', 'main.ts'].includes(here)) {
        report(`nothing below the root imports ${there}`);
      }
      if (local && there === 'main.ts') report('nothing imports main.ts');
      for (const { provider, sdk } of CLOUD_SDKS) {
        if (sdk.test(specifier) && !path.startsWith(`src/providers/${provider}/`)) {
          report(`${specifier} belongs under providers/${provider}`);
        }
      }
      if (local && here === 'providers') {
        const [, , mine] = path.split('/');
        const [, , theirs] = resolve(path, specifier).split('/');
        const clouds = CLOUD_SDKS.map((one) => one.provider);
        if (mine && theirs && mine !== theirs && clouds.includes(mine) && clouds.includes(theirs)) {
          report(`providers/${mine} does not import providers/${theirs}`);
        }
      }
      if (here === 'core' && OPENERS.test(specifier)) report('core does no IO');
    }
    if (here === 'core' && /\b(Date\.now|performance\.now)\s*\(|\bnew Date\(\s*\)/.test(code))
      report('core reads no clock');
    if (/(?<![.\w])process\s*[.[]/.test(code) && path !== 'src/main.ts' && here !== 'config') {
      report('only main.ts and config/ read process');
    }
    if (/\bexport\s+default\b/.test(code)) report('named exports only');
  }
  return found;
}
