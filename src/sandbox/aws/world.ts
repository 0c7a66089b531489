import type { Random } from '../random.ts';
import { Table, type View } from '../table.ts';
import { Gateways } from './apigateway/state.ts';
import type { Build } from './codebuild/builds.ts';
import type { Project } from './codebuild/state.ts';
import type { ServiceName } from './errors.ts';
import type { IamRoles } from './iam/roles.ts';
import type { Input } from './input.ts';
import type { Alias, Key } from './kms/state.ts';
import type { Flow } from './mediaconnect/state.ts';
import { Pages, type Paging } from './pages.ts';
import type { Secret } from './secrets/state.ts';

/** Who calls: an IAM user, or a session of a role. */
export type Principal = {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** ARN of the role; sessions only. */
  readonly role: string | undefined;
  /** Sessions only. */
  readonly sessionToken: string | undefined;
  /** ms; sessions only. */
  readonly expiresAt: number | undefined;
};

/** A role that can be assumed. */
export type Role = {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly roleId: string;
  /** What AssumeRole must bring, when set. */
  readonly externalId: string | undefined;
  /** Accounts whose principals may assume it; undefined: all. */
  readonly trusts: readonly string[] | undefined;
  /** Services that may assume it (`mediaconnect.amazonaws.com`); undefined: all. */
  readonly services: readonly string[] | undefined;
};

/** One thing that callers of an account may not do. */
export type Denial = {
  readonly account: string;
  /** `secretsmanager:DescribeSecret`, `kms:*`, … */
  readonly action: string;
  /** An ARN, or what the request names; `*` at the end matches any rest. Undefined: everything. */
  readonly resource: string | undefined;
  /** ARN of the one user or role that it hits; undefined: everybody of the account, the roles of services included. */
  readonly principal: string | undefined;
  /** The end of AWS's text after "because"; empty: the short text of older answers. */
  readonly because: string | undefined;
};

/** What a rotation function does when it is called: finish, or leave an empty AWSPENDING version behind. */
export type RotationOutcome = 'done' | 'stuck';

/** Everything that one account has in one region. */
export type RegionStore = {
  readonly account: string;
  readonly region: string;
  readonly secrets: Table<Secret>;
  /** Name of a secret to its newest ARN. */
  readonly secretNames: Map<string, string>;
  readonly keys: Table<Key>;
  readonly aliases: Table<Alias>;
  readonly rotationFunctions: Map<string, RotationOutcome>;
  /** By ARN. */
  readonly flows: Table<Flow>;
  /** Tags of flows and of their parts, by ARN. */
  readonly mediaTags: Map<string, Readonly<Record<string, unknown>>>;
  /** By name. */
  readonly projects: Table<Project>;
  /** By id. */
  readonly builds: Map<string, Build>;
};

/** A call of one operation, after it was authenticated. */
export type Call = {
  readonly world: World;
  readonly service: ServiceName;
  readonly operation: string;
  /** Undefined: a script of the sandbox's owner, who may do everything. */
  readonly caller: Principal | undefined;
  readonly account: string;
  readonly region: string;
  readonly store: RegionStore;
  readonly input: Input;
  /** ms */
  readonly now: number;
  readonly requestId: string;
  /** What reads see; changes always start from the newest state. */
  readonly view: View;
  readonly paging: Paging;
};

/** An operation: takes a call, returns the body of the answer, throws AwsError. */
export type Operation = (call: Call) => Readonly<Record<string, unknown>>;

/** Operations by name. */
export type Operations = Readonly<Record<string, Operation>>;

/** How the imitated services behave where AWS documents nothing exact; scripts may change it at any moment. */
export type Settings = {
  /** ms from StartFlow until a flow is ACTIVE, and from StopFlow or DeleteFlow until it is STANDBY or gone. */
  flowChangeMs: number;
  /** ms after which an ACTIVE flow reads its keys again. AWS documents no period; a minute is this sandbox's own. */
  keyRefreshMs: number;
  /** Whether DescribeFlow goes on showing outputs that were taken off because of their key. AWS does not say. */
  takenOff: 'listed' | 'hidden';
  /** ms that each phase of a build takes. */
  buildPhaseMs: number;
};

/** All state of the imitated AWS. */
export class World {
  readonly settings: Settings = {
    flowChangeMs: 10_000,
    keyRefreshMs: 60_000,
    takenOff: 'listed',
    buildPhaseMs: 2_000,
  };
  readonly random: Random;
  readonly now: () => number;
  readonly pages: Pages;
  readonly principals = new Map<string, Principal>();
  readonly roles = new Map<string, Role>();
  readonly iamRoles: IamRoles = new Map();
  readonly denials = new Set<Denial>();
  readonly gateways = new Gateways();
  readonly #stores = new Map<string, RegionStore>();

  constructor(random: Random, now: () => number) {
    this.random = random;
    this.now = now;
    this.pages = new Pages(random);
  }

  /** The store of an account in a region; every account has every region. */
  store(account: string, region: string): RegionStore {
    const name = `${account}/${region}`;
    const known = this.#stores.get(name);
    if (known) return known;
    const store: RegionStore = {
      account,
      region,
      secrets: new Table(),
      secretNames: new Map(),
      keys: new Table(),
      aliases: new Table(),
      rotationFunctions: new Map(),
      flows: new Table(),
      mediaTags: new Map(),
      projects: new Table(),
      builds: new Map(),
    };
    this.#stores.set(name, store);
    return store;
  }

  /** Everything that every account has in a region, as far as anybody asked for it. */
  storesOf(region: string): readonly RegionStore[] {
    return [...this.#stores.values()].filter((store) => store.region === region);
  }

  /** The denial that hits `action` on any of the `resources` for the caller of `call`. */
  denial(
    call: Pick<Call, 'account'> & { readonly caller: Acting | undefined },
    action: string,
    resources: readonly string[],
  ): Denial | undefined {
    for (const denial of this.denials) {
      if (denial.account !== call.account || !globMatches(denial.action, action)) continue;
      if (denial.principal !== undefined && !isPrincipal(call.caller, denial.principal)) continue;
      const { resource } = denial;
      if (resource === undefined || resources.some((candidate) => globMatches(resource, candidate))) return denial;
    }
    return undefined;
  }
}

/** What of a caller a denial can be about. */
type Acting = Pick<Principal, 'arn' | 'role'>;

function isPrincipal(caller: Acting | undefined, arn: string): boolean {
  return caller !== undefined && (caller.arn === arn || caller.role === arn);
}

function globMatches(pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : pattern === value;
}

/** The partition that a region lies in: `aws`, `aws-cn` or `aws-us-gov`. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** AWS's sentence about a refused action. `resource` is left out where AWS leaves it out. */
export function denialText(
  call: Call,
  action: string,
  resource: string | undefined,
  because: string | undefined,
): string {
  const reason = because ?? `no identity-based policy allows the ${action} action`;
  const where = resource === undefined ? '' : ` on resource: ${resource}`;
  return `User: ${call.caller?.arn ?? 'root'} is not authorized to perform: ${action}${where}${reason && ` because ${reason}`}`;
}

/** Epoch seconds with ms, as the JSON services write dates. */
export function seconds(at: number): number {
  return at / 1000;
}
