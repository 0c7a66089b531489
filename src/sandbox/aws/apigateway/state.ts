import type { Random } from '../../random.ts';
import { AwsError } from '../errors.ts';
import { partitionOf } from '../world.ts';

/** Logging of a stage, as UpdateStage sets it for every method. */
export type Stage = {
  readonly name: string;
  readonly executionLog: 'OFF' | 'ERROR' | 'INFO';
  /** ARN of the log group or stream; undefined: no access log. */
  readonly accessLog: string | undefined;
  readonly dataTrace: boolean;
};

/** What shows up for TLS at the host of an API. `other-host`: a good certificate of somebody else; `untrusted`: of an unknown authority. */
export type CertificateState = 'good' | 'expired' | 'other-host' | 'untrusted';

/** A REST API, immutable: a change makes a new value. */
export type RestApi = {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  /** The name that AWS gives it. */
  readonly host: string;
  /** Names of its owner that lead to it. */
  readonly ownNames: readonly string[];
  readonly stages: readonly Stage[];
  readonly certificate: CertificateState;
  /** HTTP status of the answer to a request that nobody signed: 403 where its methods want a signature. */
  readonly unsigned: number;
};

/** What a name server says: about names that are there and names that are not; that it is in trouble; nothing. */
export type NameService = 'working' | 'failing' | 'silent';

/** All APIs of API Gateway, and the names that lead to them. */
export class Gateways {
  readonly #apis = new Map<string, RestApi>();
  nameService: NameService = 'working';

  /** Makes or replaces an API. */
  save(api: RestApi): void {
    this.#apis.set(api.id, api);
  }

  delete(id: string): void {
    this.#apis.delete(id);
  }

  get(id: string): RestApi | undefined {
    return this.#apis.get(id);
  }

  /** The API behind a host name in lower case. */
  at(host: string): RestApi | undefined {
    for (const api of this.#apis.values()) if (api.host === host || api.ownNames.includes(host)) return api;
    return undefined;
  }

  /** Whether there is such a name: that of an API, or one that AWS itself keeps in every region. */
  resolves(host: string): boolean {
    return this.at(host) !== undefined || /^(execute-api|apigateway)\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(host);
  }
}

/** `ID.execute-api.REGION.amazonaws.com`. */
export function apiHost(id: string, region: string): string {
  return `${id}.execute-api.${region}.amazonaws.com${partitionOf(region) === 'aws-cn' ? '.cn' : ''}`;
}

/** Whether a host is one that AWS gives to APIs, whether there is such an API or not. */
export function isApiHost(host: string): boolean {
  return /^[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(host);
}

/** Ten letters and digits, as ids of APIs have. */
export function newApiId(random: Random): string {
  return random.pick(10, 'abcdefghijklmnopqrstuvwxyz0123456789');
}

/** NotFoundException, 404. */
export function notFound(message: string): AwsError {
  return new AwsError('NotFoundException', message, 'message', 404);
}
