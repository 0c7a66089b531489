import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, type SourceFile, violations } from './architecture.ts';

const root = join(import.meta.dirname, '..');

function sources(): SourceFile[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: `src/${path}`, text: readFileSync(join(root, 'src', path), 'utf8') }));
}

describe('architecture', () => {
  it('holds in src', () => {
    const files = sources();
    expect(files.length).toBeGreaterThan(20);
    expect(violations(files)).toEqual([]);
  });

  it('has no file of more than 400 lines', () => {
    const long = sources().filter(({ text }) => text.split('\n').length > 401);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ['src/core/graph.ts', "import { x } from '../store/store.ts';", 'core imports only core, not ../store/store.ts'],
    ['src/core/graph.ts', "import { readFileSync } from 'node:fs';", 'core does no IO'],
    ['src/core/graph.ts', 'const at = Date.now();', 'core reads no clock'],
    ['src/metrics/table.ts', "import { x } from '../web/server.ts';", 'metrics does not import web'],
    ['src/providers/index.ts', "import type { X } from '../store/store.ts';", 'providers does not import store'],
    ['src/web/server.ts', "const x = await import('../metrics/registry.ts');", 'web does not import metrics'],
    [
      'src/engine/sweep.ts',
      "import { X } from '@aws-sdk/client-kms';",
      '@aws-sdk/client-kms belongs under providers/aws',
    ],
    ['src/providers/aws/x.ts', "import { X } from '@azure/identity';", '@azure/identity belongs under providers/azure'],
    ['src/providers/aws/x.ts', "import { X } from '../azure/x.ts';", 'providers/aws does not import providers/azure'],
    ['src/app.ts', "export { X } from './sandbox/index.ts';", 'only the demo and tests load the sandbox'],
    ['src/sandbox/http.ts', "import { X } from '../core/model.ts';", 'the sandbox knows nothing of keyvigil'],
    ['src/sandbox/http.ts', "import { X } from 'hono';", 'the sandbox needs nothing but Node'],
    ['src/engine/sweep.ts', "import { startApp } from '../app.ts';", 'nothing below the root imports app.ts'],
    ['src/web/page.ts', "import { x } from '../cli/table.ts';", 'nothing below the root imports cli'],
    ['src/engine/call.ts', 'const x = process.env.HOME;', 'only main.ts and config/ read process'],
    ['src/engine/call.ts', 'export default 1;', 'named exports only'],
  ])('sees a planted violation in %s: %s', (path, text, rule) => {
    expect(violations([{ path, text }])).toContainEqual({ path, rule });
  });

  it('allows what the design allows', () => {
    const fine: SourceFile[] = [
      { path: 'src/core/graph.ts', text: "import { x } from './model.ts';\n// import { y } from '../store/store.ts';" },
      { path: 'src/cli/demo.ts', text: "const { x } = await import('../sandbox/index.ts');" },
      { path: 'src/providers/aws/connection.ts', text: "import { KMSClient } from '@aws-sdk/client-kms';" },
      { path: 'src/main.ts', text: 'process.exitCode = 1;' },
      { path: 'src/engine/sweep.ts', text: "import type { Service } from '../providers/provider.ts';" },
    ];
    expect(violations(fine)).toEqual([]);
  });

  it('reads every form of import', () => {
    const text = [
      "import a from 'a';",
      "import type { b } from 'b';",
      "import 'c';",
      "export * from 'd';",
      "export { e } from 'e';",
      "const f = await import('f');",
      "import {\n  g,\n} from 'g';",
      "/* import 'no'; */",
    ].join('\n');
    expect(importsOf(text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });
});
