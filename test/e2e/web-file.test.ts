/** The file of the web server while the daemon runs: a mistake in it is told, and what it said before stands. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { company } from './company.ts';
import { startSink } from './sink.ts';
import { startWorld } from './world.ts';

const MINUTE = 60_000;

it('that is refused shows in the metrics and is told, until it can be used again', async () => {
  await using sink = await startSink();
  const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]\nweb: { configFile: web.yml }`;
  await using world = await startWorld(company(1), { yaml, idle: true });
  const file = join(world.directory, 'web.yml');
  const good = 'http_server_config: { headers: { X-Frame-Options: deny } }';
  writeFileSync(file, good);
  await world.start();
  await world.pass(MINUTE);
  const accepted = async () =>
    Number(/^keyvigil_config_last_reload_successful (\d)$/m.exec(await world.metrics())?.[1]);
  const told = () => sink.told.map(({ status, labels }) => `${status} ${labels.alertname}`);
  expect(await accepted()).toBe(1);

  writeFileSync(file, 'http_server_config: { heders: {} }');
  await world.until('the alert', MINUTE, () => told().length > 0);
  expect(told()).toEqual(['firing KeyvigilConfigReloadFailed']);
  expect(sink.told[0]?.annotations.description).toContain('web.configFile');
  expect(await accepted()).toBe(0);
  expect((await world.get('/')).headers.get('x-frame-options')).toBe('deny');
  // Another mistake is no other alert.
  rmSync(file);
  await world.pass(MINUTE);
  expect(told()).toHaveLength(1);
  expect(await accepted()).toBe(0);

  writeFileSync(file, good.replace('deny', 'sameorigin'));
  await world.until('its end', MINUTE, () => told().length > 1);
  expect(told()).toEqual(['firing KeyvigilConfigReloadFailed', 'resolved KeyvigilConfigReloadFailed']);
  expect(await accepted()).toBe(1);
  expect((await world.get('/')).headers.get('x-frame-options')).toBe('sameorigin');
});
