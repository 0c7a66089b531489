"""The keys of a vault: every operation of `KeyClient`."""

from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys import (
    ApiVersion,
    JsonWebKey,
    KeyOperation,
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyRotationPolicyAction,
)
from cryptography.hazmat.primitives.asymmetric import rsa

from drive_azure_checks import check, keys_of, pass_time, refused, scenario, settings

VAULT, POLICY_VAULT = settings["vault"], settings["policyVault"]
NOT_FOUND = {"kind": ResourceNotFoundError, "status": 404, "code": "KeyNotFound"}
CONFLICT = {"kind": ResourceExistsError, "status": 409, "code": "Conflict"}
# How long the sandbox, as Azure was recorded to, hides a key after a delete and after a recover.
DELETING_S, RECOVERING_S = 66, 16

keys = keys_of(VAULT)


def number_of_bits(key):
    return int.from_bytes(key.key.n, "big").bit_length()


def kinds():
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    for size in (2048, 3072, 4096):
        key = keys.create_rsa_key(f"rsa-{size}", size=size, tags={"size": str(size)})
        check(
            f"an RSA key of {size} bits", (key.key_type, number_of_bits(key), key.key.e), ("RSA", size, b"\x01\x00\x01")
        )
        check(f"tags of a key of {size} bits", key.properties.tags, {"size": str(size)})
    check("a key has all six operations", len(key.key_operations), 6)
    check("when it was created", before <= key.properties.created_on <= datetime.now(timezone.utc))
    check("where it lies", (key.properties.vault_url, key.properties.name), (VAULT, "rsa-4096"))
    check("its id names the version", key.id, f"{VAULT}/keys/rsa-4096/{key.properties.version}")
    check(
        "how it can be recovered",
        (key.properties.recovery_level, key.properties.recoverable_days),
        ("CustomizedRecoverable+Purgeable", 7),
    )
    check("it cannot be exported", key.properties.exportable, False)
    check("it backs no certificate", key.properties.managed, None)
    for curve, crv in (("P-256", 32), ("P-384", 48), ("P-521", 66), ("P-256K", 32)):
        key = keys.create_ec_key(f"ec-{curve}", curve=curve)
        check(
            f"an EC key on {curve}",
            (key.key_type, key.key.crv, len(key.key.x), len(key.key.y)),
            ("EC", curve, crv, crv),
        )
    check("what EC keys are for", sorted(key.key_operations), ["sign", "verify"])
    hard = keys.create_rsa_key("rsa-hsm", hardware_protected=True)
    check("a key in hardware", (hard.key_type, hard.properties.hsm_platform), ("RSA-HSM", "2"))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    numbers = {"n": private.public_numbers.n, "e": private.public_numbers.e, "d": private.d, "p": private.p}
    numbers |= {"q": private.q, "dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp}
    parts = {name: number.to_bytes((number.bit_length() + 7) // 8, "big") for name, number in numbers.items()}
    imported = keys.import_key("imported", JsonWebKey(kty="RSA", **parts))
    check("an imported key", (imported.key_type, imported.key.n), ("RSA", parts["n"]))
    bad = {"kind": HttpResponseError, "status": 400, "code": "BadParameter"}
    refused("a size that there is not", keys.create_rsa_key, "odd", size=1024, **bad)
    refused("a name that no key can have", keys.create_rsa_key, "under_score", **bad)
    refused("symmetric keys need an HSM", keys.create_oct_key, "oct", hardware_protected=True, **bad)


def versions():
    first = keys.create_rsa_key("cmk", size=2048)
    check("the newest version of one", keys.get_key("cmk").properties.version, first.properties.version)
    pass_time(60)
    second = keys.rotate_key("cmk")
    pass_time(60)
    third = keys.create_rsa_key("cmk", size=3072)
    ids = [one.properties.version for one in (first, second, third)]
    check("three versions differ", len(set(ids)), 3)
    check("a key without a version is its newest one", keys.get_key("cmk").properties.version, ids[2])
    check("names have no case", keys.get_key("CMK").properties.version, ids[2])
    check("a rotated key keeps its size", number_of_bits(second), 2048)
    check("each version has a key of its own", keys.get_key("cmk", ids[0]).key.n == first.key.n)
    listed = {one.version: one for one in keys.list_properties_of_key_versions("cmk")}
    check("all versions are listed", sorted(listed), sorted(ids))
    by_age = sorted(listed.values(), key=lambda one: one.created_on)
    check("by age they are in order", [one.version for one in by_age], ids)
    check("the versions of a missing key are an empty list", list(keys.list_properties_of_key_versions("never")), [])
    refused("a missing key", keys.get_key, "never", text="A key with (name/id) never was not found", **NOT_FOUND)
    refused("a missing version", keys.get_key, "cmk", "0" * 32, **NOT_FOUND)
    older = keys_of(VAULT, api_version=ApiVersion.V7_2)
    check("an older version of the API", older.get_key("cmk").properties.version, ids[2])
    check("it does not tell of export", older.get_key("cmk").properties.exportable, None)


def properties():
    now = datetime.now(timezone.utc).replace(microsecond=0)
    changed = keys.update_key_properties(
        "cmk", not_before=now - timedelta(days=1), expires_on=now + timedelta(days=90), tags={"team": "video"}
    )
    check(
        "dates of a key",
        (changed.properties.not_before, changed.properties.expires_on),
        (now - timedelta(days=1), now + timedelta(days=90)),
    )
    check("new tags", keys.get_key("cmk").properties.tags, {"team": "video"})
    disabled = keys.update_key_properties("cmk", enabled=False)
    check("a disabled key", disabled.properties.enabled, False)
    check("it can be read all the same", keys.get_key("cmk").properties.enabled, False)
    check("other fields stay", keys.get_key("cmk").properties.tags, {"team": "video"})
    [seen] = [one for one in keys.list_properties_of_keys() if one.name == "cmk"]
    check("the list tells it", (seen.enabled, seen.tags), (False, {"team": "video"}))
    check("enabled again", keys.update_key_properties("cmk", enabled=True).properties.enabled)
    oldest = min(keys.list_properties_of_key_versions("cmk"), key=lambda one: one.created_on).version
    keys.update_key_properties("cmk", oldest, enabled=False)
    check(
        "one version is disabled",
        (keys.get_key("cmk", oldest).properties.enabled, keys.get_key("cmk").properties.enabled),
        (False, True),
    )
    only = keys.update_key_properties("cmk", key_operations=[KeyOperation.wrap_key, KeyOperation.unwrap_key])
    check("fewer operations", sorted(only.key_operations), ["unwrapKey", "wrapKey"])


def rotation():
    name = "rsa-2048"
    unset = keys.get_key_rotation_policy(name)
    check("a policy that nobody set", (unset.id, unset.expires_in, unset.created_on), (None, None, None))
    check(
        "it would notify",
        [(one.action, one.time_before_expiry) for one in unset.lifetime_actions],
        [(KeyRotationPolicyAction.notify, "P30D")],
    )
    rotate = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P90D")
    wanted = KeyRotationPolicy(expires_in="P120D", lifetime_actions=[rotate])
    answered = keys.update_key_rotation_policy(name, wanted)
    read = keys.get_key_rotation_policy(name)
    for policy, when in ((answered, "answered"), (read, "read")):
        actions = {one.action: one.time_after_create or one.time_before_expiry for one in policy.lifetime_actions}
        expected = {KeyRotationPolicyAction.rotate: "P90D", KeyRotationPolicyAction.notify: "P30D"}
        check(f"the policy as {when}", (policy.expires_in, actions), ("P120D", expected))
    check("the policy has an id", read.id, f"{VAULT}/keys/{name}/rotationpolicy")
    before = keys.get_key(name)
    after = keys.rotate_key(name)
    valid = after.properties.expires_on - after.properties.created_on
    check("a rotation sets the expiry of the policy", 119 <= valid.days <= 121)
    check("a rotation makes a version", before.properties.version != after.properties.version)
    daily = KeyRotationPolicy(
        lifetime_actions=[KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P1D")]
    )
    refused(
        "a rotation every day",
        keys.update_key_rotation_policy,
        name,
        daily,
        kind=HttpResponseError,
        status=400,
        code="BadParameter",
    )
    refused("the policy of a missing key", keys.get_key_rotation_policy, "never", **NOT_FOUND)


def deletion():
    refused("deleting a missing key", keys.begin_delete_key, "never", **NOT_FOUND)
    poller = keys.begin_delete_key("rsa-3072")
    deleted = poller.result()
    check("what deleting answers", (deleted.name, deleted.recovery_id), ("rsa-3072", f"{VAULT}/deletedkeys/rsa-3072"))
    check("how long it can be recovered", (deleted.scheduled_purge_date - deleted.deleted_date).days, 7)
    refused("a key that is being deleted", keys.get_key, "rsa-3072", **NOT_FOUND)
    refused(
        "it is not yet among the deleted ones",
        keys.get_deleted_key,
        "rsa-3072",
        text="Deleted Key not found",
        **NOT_FOUND,
    )
    refused("purging it too early", keys.purge_deleted_key, "rsa-3072", inner="ObjectIsBeingDeleted", **CONFLICT)
    refused("making it again too early", keys.create_rsa_key, "rsa-3072", inner="ObjectIsBeingDeleted", **CONFLICT)
    pass_time(DELETING_S)
    poller.wait()
    check("the poller of a deletion ends", poller.done())
    gone = keys.get_deleted_key("rsa-3072")
    check("a deleted key", (gone.properties.tags, number_of_bits(gone)), ({"size": "3072"}, 3072))
    check("deleted keys are listed", [one.name for one in keys.list_deleted_keys()], ["rsa-3072"])
    check("and no more among the others", "rsa-3072" in [one.name for one in keys.list_properties_of_keys()], False)
    refused(
        "the name of a deleted key is taken",
        keys.create_rsa_key,
        "rsa-3072",
        inner="ObjectIsDeletedButRecoverable",
        **CONFLICT,
    )
    recovery = keys.begin_recover_deleted_key("rsa-3072")
    check("what recovering answers", recovery.result().properties.version, gone.properties.version)
    refused("a key that is being recovered", keys.get_key, "rsa-3072", **NOT_FOUND)
    pass_time(RECOVERING_S)
    recovery.wait()
    check("a recovered key is what it was", keys.get_key("rsa-3072").key.n, gone.key.n)
    refused("recovering what is not deleted", keys.begin_recover_deleted_key, "rsa-3072", **NOT_FOUND)
    check("nothing is deleted any more", list(keys.list_deleted_keys()), [])
    again = keys.begin_delete_key("rsa-3072")
    pass_time(DELETING_S)
    again.wait()
    keys.purge_deleted_key("rsa-3072")
    refused("a purged key is no deleted one", keys.get_deleted_key, "rsa-3072", **NOT_FOUND)
    anew = keys.create_rsa_key("rsa-3072", size=3072)
    check("its name is free", anew.key.n == gone.key.n, False)


def backups():
    made = keys.create_rsa_key("kept", size=2048, tags={"a": "b"})
    keys.rotate_key("kept")
    backup = keys.backup_key("kept")
    refused("restoring over a key", keys.restore_key_backup, backup, **CONFLICT)
    poller = keys.begin_delete_key("kept")
    pass_time(DELETING_S)
    poller.wait()
    refused(
        "restoring over a deleted key",
        keys.restore_key_backup,
        backup,
        inner="ObjectIsDeletedButRecoverable",
        **CONFLICT,
    )
    keys.purge_deleted_key("kept")
    restored = keys.restore_key_backup(backup)
    check("a restored key", restored.properties.tags, {"a": "b"})
    check("its older version is back", keys.get_key("kept", made.properties.version).key.n, made.key.n)
    elsewhere = keys_of(POLICY_VAULT)
    check(
        "it can be restored into another vault", elsewhere.restore_key_backup(backup).properties.vault_url, POLICY_VAULT
    )
    bad = {"kind": HttpResponseError, "status": 400, "code": "BadParameter"}
    refused("what is no backup", keys.restore_key_backup, b"nonsense", **bad)
    refused("the backup of a missing key", keys.backup_key, "never", **NOT_FOUND)


def drive():
    for part in (kinds, versions, properties, rotation, deletion, backups):
        scenario(part)
