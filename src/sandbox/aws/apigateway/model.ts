import { type Revocable, revocable } from '../../revocable.ts';
import { ServiceModel } from '../models.ts';
import type { Operations, World } from '../world.ts';
import { apiHost, type CertificateState, newApiId, type RestApi, type Stage } from './state.ts';

/** What `create` takes. */
export type NewApi = {
  /** `prod` unless given. */
  readonly stage?: string;
  /** Logging of the stage; none of it is on unless given. */
  readonly logging?: Partial<Omit<Stage, 'name'>>;
  /** Host names of its owner that lead to it as well. */
  readonly ownNames?: readonly string[];
};

/** A REST API, for scripts. */
export type ApiHandle = {
  readonly id: string;
  readonly host: string;
  /** URL of the stage, without a slash at its end. */
  readonly url: string;
};

/** API Gateway of one region, for scripts. Every API is named by its id. */
export class ApiGatewayModel extends ServiceModel {
  readonly #world: World;
  readonly #account: string;
  readonly #region: string;

  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'apigateway', operations, account, region);
    this.#world = world;
    this.#account = account;
    this.#region = region;
  }

  /** Makes an API with one stage, whose methods want a signature. */
  create({ stage = 'prod', logging = {}, ownNames = [] }: NewApi = {}): ApiHandle {
    const id = newApiId(this.#world.random);
    const host = apiHost(id, this.#region);
    const settings: Stage = { name: stage, executionLog: 'OFF', accessLog: undefined, dataTrace: false, ...logging };
    const place = { account: this.#account, region: this.#region };
    this.#world.gateways.save({ id, host, ...place, ownNames, stages: [settings], certificate: 'good', unsigned: 403 });
    return { id, host, url: `https://${host}/${stage}` };
  }

  /** Deletes an API: its name is gone with it. Revoking makes it again as it was, which AWS itself never does. */
  delete(id: string): Revocable {
    const api = this.#api(id);
    this.#world.gateways.delete(id);
    return revocable(() => this.#world.gateways.save(api));
  }

  /** Changes the logging of every stage. */
  log(id: string, logging: Partial<Omit<Stage, 'name'>>): void {
    const api = this.#api(id);
    this.#world.gateways.save({ ...api, stages: api.stages.map((stage) => ({ ...stage, ...logging })) });
  }

  /** What answers for TLS at its names from now on. */
  certificate(id: string, certificate: CertificateState): void {
    this.#world.gateways.save({ ...this.#api(id), certificate });
  }

  /** HTTP status of the answer to requests that nobody signed, from now on. */
  answerUnsigned(id: string, status: number): void {
    this.#world.gateways.save({ ...this.#api(id), unsigned: status });
  }

  #api(id: string): RestApi {
    const api = this.#world.gateways.get(id);
    if (!api) throw new Error(`there is no API ${id}`);
    return api;
  }
}
