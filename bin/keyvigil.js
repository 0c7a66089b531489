#!/usr/bin/env node
// Plain old JavaScript on purpose: it must still parse on the Node versions that it turns away.
var parts = process.versions.node.split('.').map(Number);
if (parts[0] < 24 || (parts[0] === 24 && parts[1] < 15)) {
  process.stderr.write(
    'keyvigil needs Node.js 24.15 or newer; this is ' + process.version + '. See https://nodejs.org/\n',
  );
  process.exit(1);
}
import('../dist/main.js').then(
  (main) => main.run(process.argv.slice(2)),
  (error) => {
    process.stderr.write('keyvigil: cannot start: ' + error.message + '\n');
    process.exit(1);
  },
);
