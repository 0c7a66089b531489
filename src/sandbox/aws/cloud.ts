import { type Revocable, revocable } from '../revocable.ts';
import { ApiGatewayModel } from './apigateway/model.ts';
import { CodeBuildModel } from './codebuild/model.ts';
import type { ServiceName } from './errors.ts';
import { MediaConnectModel } from './mediaconnect/model.ts';
import { IamModel, KmsModel, SecretsModel } from './models.ts';
import {
  type Denial,
  type Operations,
  type Principal,
  partitionOf,
  type Role,
  type RotationOutcome,
  type Settings,
  type World,
} from './world.ts';

/** Static credentials of an IAM user. */
export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/**
 * The imitated AWS, for scripts: accounts, their regions, and who may not do what. Calls made here are made by the owner of
 * the sandbox: no signature, no denial, no fault, no log.
 */
export class AwsCloud {
  readonly #world: World;
  readonly #operations: Readonly<Record<ServiceName, Operations>>;
  readonly #accounts = new Map<string, AwsAccount>();

  constructor(world: World, operations: Readonly<Record<ServiceName, Operations>>) {
    this.#world = world;
    this.#operations = operations;
  }

  /** Every operation that is imitated, as `service:Operation`, sorted. */
  get operations(): readonly string[] {
    return Object.entries(this.#operations)
      .flatMap(([service, operations]) => Object.keys(operations).map((name) => `${service}:${name}`))
      .toSorted();
  }

  /** The account with this id of twelve digits; it exists from the first time it is named. */
  account(id: string): AwsAccount {
    const known = this.#accounts.get(id);
    if (known) return known;
    const account = new AwsAccount(this.#world, this.#operations, id);
    this.#accounts.set(id, account);
    return account;
  }

  /** How long flows and builds take, how often flows read their keys again, and what they show then. */
  get settings(): Settings {
    return this.#world.settings;
  }

  /**
   * Refuses an action (`kms:DescribeKey`, `secretsmanager:*`) to the callers of an account, or to one role or user of it
   * (`principal`, an ARN), on one resource or all. The roles under which services act are callers too. `because` replaces the
   * end of AWS's text; "" leaves it out.
   */
  deny(denial: {
    account: string;
    action: string;
    resource?: string;
    principal?: string;
    because?: string;
  }): Revocable {
    const added: Denial = { resource: undefined, principal: undefined, because: undefined, ...denial };
    this.#world.denials.add(added);
    return revocable(() => this.#world.denials.delete(added));
  }

  /** Ends every session of assumed roles now: the next request with one is ExpiredTokenException. */
  expireSessions(): void {
    const now = this.#world.now();
    for (const principal of this.#world.principals.values()) {
      if (principal.sessionToken !== undefined) {
        this.#world.principals.set(principal.accessKeyId, { ...principal, expiresAt: now });
      }
    }
  }
}

/** One account. */
export class AwsAccount {
  readonly id: string;
  /** Access key of the account's user, who may do everything that is not denied. */
  readonly credentials: Credentials;
  readonly iam: IamModel;
  readonly #world: World;
  readonly #operations: Readonly<Record<ServiceName, Operations>>;
  readonly #regions = new Map<string, AwsRegion>();

  constructor(world: World, operations: Readonly<Record<ServiceName, Operations>>, id: string) {
    this.id = id;
    this.#world = world;
    this.#operations = operations;
    this.iam = new IamModel(world, operations.iam, id, 'us-east-1');
    const user: Principal = {
      account: id,
      arn: `arn:aws:iam::${id}:user/sandbox`,
      userId: `AIDA${world.random.pick(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      accessKeyId: `AKIA${world.random.pick(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      secretAccessKey: world.random.hex(40),
      role: undefined,
      sessionToken: undefined,
      expiresAt: undefined,
    };
    world.principals.set(user.accessKeyId, user);
    this.credentials = { accessKeyId: user.accessKeyId, secretAccessKey: user.secretAccessKey };
  }

  /** One region of the account. */
  region(name: string): AwsRegion {
    const known = this.#regions.get(name);
    if (known) return known;
    const region = new AwsRegion(this.#world, this.#operations, this.id, name);
    this.#regions.set(name, region);
    return region;
  }

  /**
   * Makes (or replaces) a role and gives its ARN. `externalId`: what AssumeRole must bring. `trusts`: accounts that may
   * assume it, all when it is left out. `services`: the same for services (`mediaconnect.amazonaws.com`). `partition` is
   * `aws` unless given. A role may do everything that is not denied.
   */
  role(
    name: string,
    trust: {
      externalId?: string;
      trusts?: readonly string[];
      services?: readonly string[];
      partition?: string;
    } = {},
  ): string {
    const role: Role = {
      arn: `arn:${trust.partition ?? 'aws'}:iam::${this.id}:role/${name}`,
      account: this.id,
      name,
      roleId: `AROA${this.#world.random.pick(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
      externalId: trust.externalId,
      trusts: trust.trusts,
      services: trust.services,
    };
    this.#world.roles.set(role.arn, role);
    return role.arn;
  }

  /** Takes the right to read a secret (its ARN) from a role (its ARN), until the denial is removed. */
  revoke(role: string, secret: string): Revocable {
    const added: Denial = {
      account: this.id,
      action: 'secretsmanager:GetSecretValue',
      resource: secret,
      principal: role,
      because: undefined,
    };
    this.#world.denials.add(added);
    return revocable(() => this.#world.denials.delete(added));
  }
}

/** One region of one account, with its services. */
export class AwsRegion {
  readonly name: string;
  readonly secrets: SecretsModel;
  readonly kms: KmsModel;
  readonly mediaConnect: MediaConnectModel;
  readonly codeBuild: CodeBuildModel;
  readonly apiGateway: ApiGatewayModel;
  readonly #world: World;
  readonly #account: string;

  constructor(world: World, operations: Readonly<Record<ServiceName, Operations>>, account: string, name: string) {
    this.name = name;
    this.#world = world;
    this.#account = account;
    this.secrets = new SecretsModel(world, operations.secretsmanager, account, name);
    this.kms = new KmsModel(world, operations.kms, account, name);
    this.mediaConnect = new MediaConnectModel(world, operations.mediaconnect, account, name);
    this.codeBuild = new CodeBuildModel(world, operations.codebuild, account, name);
    this.apiGateway = new ApiGatewayModel(world, operations.apigateway, account, name);
  }

  /** Registers a rotation function that Secrets Manager may call, with what it does, and gives its ARN. */
  rotationFunction(name: string, outcome: RotationOutcome = 'done'): string {
    const arn = `arn:${partitionOf(this.name)}:lambda:${this.name}:${this.#account}:function:${name}`;
    this.#world.store(this.#account, this.name).rotationFunctions.set(arn, outcome);
    return arn;
  }
}
