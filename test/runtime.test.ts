import { expect, it } from 'vitest';

it('runs on the Node that the project brings along, whatever the system has', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  expect(major).toBe(24);
  expect(minor).toBeGreaterThanOrEqual(15);
});
