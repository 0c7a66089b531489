import { expect, test } from 'vitest';
import { dockerfileViolations, ignores } from './dockerfile.ts';
import { PROJECT, read } from './project.ts';

const TEXT = read('Dockerfile');
const IGNORE = read('.dockerignore');
const AROUND = { ...PROJECT, ignored: (path: string) => ignores(IGNORE, path) };

test('the Dockerfile breaks no rule', () => {
  expect(dockerfileViolations(TEXT, AROUND)).toEqual([]);
});

test.each<[from: string, to: string, violation: string]>([
  ['node:24.21.0-trixie-slim', 'node:lts', 'FROM node:lts: not pinned to a version'],
  ['node:24.21.0-trixie-slim', 'node:24.9.0-trixie-slim', 'FROM node:24.9.0-trixie-slim: keyvigil needs Node 24.15'],
  ['USER 65532:65532', 'USER 0', 'USER: not the number of somebody who is not root'],
  ['USER 65532:65532', 'USER node', 'USER: not the number of somebody who is not root'],
  ['USER 65532:65532\n', '', 'USER: not the number of somebody who is not root'],
  ['CMD ["node", "/app/bin/keyvigil.js", "healthcheck"]', 'CMD curl localhost', 'HEALTHCHECK: not by keyvigil itself'],
  [
    'ENTRYPOINT ["node", "/app/bin/keyvigil.js"]',
    'ENTRYPOINT node /app',
    'ENTRYPOINT: through a shell, which keeps signals to itself',
  ],
  ['COPY bin ./bin', 'COPY bim ./bin', 'COPY bim: does not exist'],
  ['COPY bin ./bin', 'COPY test ./test', 'COPY test: .dockerignore keeps it out'],
  ['COPY --from=build /app/docs /app/docs\n', '', '/app/docs: is missing'],
  ['COPY bin ./bin', 'ADD bin ./bin', 'ADD: fetches and unpacks; COPY does neither'],
  ['npm ci --ignore-scripts', 'npm ci', 'RUN: scripts of dependencies run'],
  ['npm ci', 'npm install', 'RUN: npm install does not keep to the lock file'],
  ['/usr/local/bin/npm ', '', '/usr/local/bin/npm: stays'],
  ['image.version="0.1.0"', 'image.version="9.9.9"', `LABEL: the version is not ${PROJECT.version}`],
  ['image.licenses=', 'image.license=', 'LABEL: no licenses'],
  ['NODE_ENV=production', 'NPM_TOKEN=abc', 'ENV: a secret in a layer'],
  ['COPY --from=build /app/bin /app/bin', 'COPY bin /app/bin', 'COPY: from the checkout past the build'],
])('%s as %j is found', (from, to, violation) => {
  expect(TEXT).toContain(from);
  expect(dockerfileViolations(TEXT.replace(from, to), AROUND)).toContain(violation);
});

test('the builder never sees what a checkout may hold besides', () => {
  for (const path of ['.git', '.env', 'keyvigil.db', 'node_modules', 'keyvigil.yml', 'test']) {
    expect(ignores(IGNORE, path), path).toBe(true);
  }
});
