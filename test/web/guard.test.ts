import { describe, expect, it } from 'vitest';
import { type OwnNames, refusePost } from '../../src/web/guard.ts';

const LOOPBACK: OwnNames = { listenHost: '127.0.0.1', externalUrl: undefined };
const BEHIND: OwnNames = { listenHost: '10.0.0.5', externalUrl: 'https://ops.example.com/keyvigil' };
const EVERYWHERE: OwnNames = { listenHost: '0.0.0.0', externalUrl: undefined };

describe('who may post', () => {
  it.each<[OwnNames, string | undefined, string | undefined, string | undefined]>([
    [LOOPBACK, 'localhost:10539', undefined, undefined],
    [LOOPBACK, '127.0.0.1:10539', undefined, undefined],
    [LOOPBACK, '[::1]:10539', undefined, undefined],
    [LOOPBACK, 'LOCALHOST', undefined, undefined],
    [LOOPBACK, 'localhost:10539', 'http://localhost:10539', undefined],
    [LOOPBACK, 'localhost', 'http://localhost:80', undefined],
    [LOOPBACK, 'localhost:10539', 'http://localhost:8080', 'foreign_origin'],
    [LOOPBACK, 'localhost:10539', 'http://evil.example', 'foreign_origin'],
    [LOOPBACK, 'localhost:10539', 'null', 'foreign_origin'],
    [LOOPBACK, 'localhost:10539', '', 'foreign_origin'],
    [LOOPBACK, 'evil.example', undefined, 'foreign_host'],
    [LOOPBACK, 'evil.example:10539', 'http://evil.example:10539', 'foreign_host'],
    [LOOPBACK, 'localhost.evil.example', undefined, 'foreign_host'],
    [LOOPBACK, '127.0.0.1.evil.example', undefined, 'foreign_host'],
    [LOOPBACK, 'localhost@evil.example', undefined, 'foreign_host'],
    [LOOPBACK, 'localhost/x', undefined, 'foreign_host'],
    [LOOPBACK, '10.0.0.5', undefined, 'foreign_host'],
    [LOOPBACK, '', undefined, 'foreign_host'],
    [LOOPBACK, undefined, undefined, 'foreign_host'],
    [BEHIND, 'ops.example.com', 'https://ops.example.com', undefined],
    [BEHIND, '10.0.0.5:10539', 'https://ops.example.com', undefined],
    [BEHIND, '10.0.0.5:10539', undefined, undefined],
    [BEHIND, '10.0.0.6:10539', undefined, 'foreign_host'],
    [EVERYWHERE, '10.0.0.5:10539', undefined, undefined],
    [EVERYWHERE, '[fd00::5]:10539', 'http://[fd00::5]:10539', undefined],
    [EVERYWHERE, 'rebound.example:10539', undefined, 'foreign_host'],
  ])('%j, Host %s, Origin %s: %s', (own, host, origin, refused) => {
    expect(refusePost({ host, origin }, own)).toBe(refused);
  });
});
