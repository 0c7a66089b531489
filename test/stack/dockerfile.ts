/** What our Dockerfile must hold. */

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Instructions in order, continued lines joined, comments gone. */
function instructions(text: string): Instruction[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ');
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => ({ name: line.split(/\s+/)[0]?.toUpperCase() ?? '', rest: line.replace(/^\S+\s+/, '') }));
}

/** Everything that is wrong. `exists`: of a path below the root of the project; `ignored`: whether .dockerignore keeps it out. */
export function dockerfileViolations(
  text: string,
  project: {
    readonly exists: (path: string) => boolean;
    readonly ignored: (path: string) => boolean;
    readonly version: string;
  },
): string[] {
  const found: string[] = [];
  const all = instructions(text);
  const arguments_ = new Map<string, string>();
  const stages = new Set<string>();
  for (const { name, rest } of all) {
    if (name === 'ARG') arguments_.set(...(rest.split('=', 2) as [string, string]));
    if (name === 'FROM') {
      const [given = '', , stage] = rest.split(/\s+/);
      const image = given.replace(/\$\{(\w+)\}/g, (_, key: string) => arguments_.get(key) ?? '');
      if (!/:\d+\.\d+\.\d+/.test(image) && !stages.has(image)) found.push(`FROM ${image}: not pinned to a version`);
      const [, major, minor] = /^node:(\d+)\.(\d+)/.exec(image) ?? [];
      if (major !== undefined && Number(major) * 100 + Number(minor) < 2415)
        found.push(`FROM ${image}: keyvigil needs Node 24.15`);
      if (stage) stages.add(stage);
    }
    if (name === 'ADD') found.push('ADD: fetches and unpacks; COPY does neither');
    if (name === 'COPY') copies(rest, project, found);
    if (name === 'RUN' && /\bnpm (ci|install|prune)\b(?!.*--ignore-scripts)/.test(rest))
      found.push('RUN: scripts of dependencies run');
    if (name === 'RUN' && /\bnpm install\b/.test(rest)) found.push('RUN: npm install does not keep to the lock file');
    if (/\b(ENV|ARG)\b/.test(name) && /(secret|token|password)/i.test(rest)) found.push(`${name}: a secret in a layer`);
  }
  final(all.slice(all.findLastIndex(({ name }) => name === 'FROM')), project.version, found);
  return found;
}

function copies(
  rest: string,
  project: { readonly exists: (path: string) => boolean; readonly ignored: (path: string) => boolean },
  found: string[],
): void {
  if (rest.includes('--from=')) return;
  const sources = rest
    .split(/\s+/)
    .filter((word) => !word.startsWith('--'))
    .slice(0, -1);
  for (const source of sources) {
    if (!project.exists(source)) found.push(`COPY ${source}: does not exist`);
    else if (project.ignored(source)) found.push(`COPY ${source}: .dockerignore keeps it out`);
  }
}

/** What runs. */
function final(stage: readonly Instruction[], version: string, found: string[]): void {
  const last = (name: string) => stage.findLast((one) => one.name === name)?.rest ?? '';
  const [uid = ''] = last('USER').split(':');
  if (!/^[1-9]\d*$/.test(uid)) found.push('USER: not the number of somebody who is not root');
  if (!/CMD \["node", .*"healthcheck"\]/.test(last('HEALTHCHECK'))) found.push('HEALTHCHECK: not by keyvigil itself');
  if (!last('ENTRYPOINT').startsWith('[')) found.push('ENTRYPOINT: through a shell, which keeps signals to itself');
  const removed = stage
    .filter(({ name, rest }) => name === 'RUN' && rest.startsWith('rm '))
    .map(({ rest }) => rest)
    .join(' ');
  for (const tool of [
    '/usr/local/bin/npm',
    '/usr/local/bin/npx',
    '/usr/local/bin/corepack',
    '/usr/local/lib/node_modules',
  ]) {
    if (!removed.split(/\s+/).includes(tool)) found.push(`${tool}: stays`);
  }
  const labels = last('LABEL');
  for (const label of ['title', 'description', 'version', 'revision', 'licenses']) {
    if (!labels.includes(`org.opencontainers.image.${label}=`)) found.push(`LABEL: no ${label}`);
  }
  if (!labels.includes(`image.version="${version}"`)) found.push(`LABEL: the version is not ${version}`);
  const copied = stage.filter(({ name }) => name === 'COPY').map(({ rest }) => rest);
  if (copied.some((rest) => !rest.includes('--from='))) found.push('COPY: from the checkout past the build');
  // What the program looks for beside its own code.
  for (const part of ['package.json', 'bin', 'dist', 'config', 'docs', 'node_modules']) {
    if (!copied.some((rest) => rest.includes(`/app/${part}`))) found.push(`/app/${part}: is missing`);
  }
}

/** Whether a .dockerignore like ours, which lets in what it names, keeps a path at the top out. */
export function ignores(dockerignore: string, path: string): boolean {
  const lines = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines[0] === '*' && !lines.includes(`!${path}`);
}
