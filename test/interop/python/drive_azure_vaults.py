"""Vaults through Resource Manager: their life, and what protects them."""

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.mgmt.keyvault.models import (
    AccessPolicyEntry,
    Permissions,
    Sku,
    VaultCheckNameAvailabilityParameters,
    VaultCreateOrUpdateParameters,
    VaultPatchParameters,
    VaultPatchProperties,
    VaultProperties,
)

from drive_azure_checks import (
    GROUP,
    SUBSCRIPTION,
    check,
    keys_of,
    pass_time,
    refused,
    scenario,
    settings,
    vaults_as,
)

TENANT = settings["tenant"]
LOCATION = "westeurope"
# How long a new vault registers its name.
DNS_S = 31

vaults = vaults_as().vaults
NOT_FOUND = {"kind": ResourceNotFoundError, "status": 404, "code": "ResourceNotFound"}
NO_HOST = {"kind": ServiceRequestError, "text": "Tunnel connection failed: 502"}
BAD = {"kind": HttpResponseError, "status": 400}


def policy(who, *permissions):
    return AccessPolicyEntry(
        tenant_id=TENANT, object_id=settings[who]["principal"], permissions=Permissions(keys_property=list(permissions))
    )


def parameters(*, policies=(), location=LOCATION, tags=None, **more):
    own = {"access_policies": list(policies)} if policies or "enable_rbac_authorization" not in more else {}
    properties = VaultProperties(tenant_id=TENANT, sku=Sku(family="A", name="standard"), **own, **more)
    return VaultCreateOrUpdateParameters(location=location, properties=properties, tags=tags)


def make(name, **more):
    """A vault that can be reached."""
    poller = vaults.begin_create_or_update(GROUP, name, parameters(**more))
    pass_time(DNS_S)
    return poller.result()


def names():
    free = vaults.check_name_availability(VaultCheckNameAvailabilityParameters(name="free-name"))
    check("a free name", (free.name_available, free.reason), (True, None))
    taken = vaults.check_name_availability(VaultCheckNameAvailabilityParameters(name="contoso"))
    check("a taken name", (taken.name_available, taken.reason), (False, "AlreadyExists"))
    odd = vaults.check_name_availability(VaultCheckNameAvailabilityParameters(name="1"))
    check("a name that no vault can have", (odd.name_available, odd.reason), (False, "AccountNameInvalid"))
    refused(
        "a vault of such a name",
        vaults.begin_create_or_update,
        GROUP,
        "1",
        parameters(),
        code="VaultNameNotValid",
        **BAD,
    )


def life():
    poller = vaults.begin_create_or_update(
        GROUP,
        "python-1",
        parameters(
            policies=[policy("owner", "all", "purge"), policy("monitor", "get", "list")],
            soft_delete_retention_in_days=7,
            tags={"team": "video"},
        ),
    )
    young = vaults.get(GROUP, "python-1")
    check(
        "a new vault registers its name",
        (young.properties.provisioning_state, young.properties.vault_uri),
        ("RegisteringDns", "https://python-1.vault.azure.net"),
    )
    check("it is not ready yet", poller.done(), False)
    refused("its host is not there yet", keys_of("https://python-1.vault.azure.net").get_key, "x", **NO_HOST)
    pass_time(DNS_S)
    made = poller.result()
    check(
        "a ready vault",
        (made.properties.provisioning_state, made.properties.vault_uri),
        ("Succeeded", "https://python-1.vault.azure.net/"),
    )
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/python-1"
    check("its id, place and tags", (made.id, made.location, made.tags), (where, LOCATION, {"team": "video"}))
    check(
        "its settings",
        (
            made.properties.enable_soft_delete,
            made.properties.soft_delete_retention_in_days,
            made.properties.enable_purge_protection,
        ),
        (True, 7, None),
    )
    entry = made.properties.access_policies[1]
    check(
        "its policies",
        (entry.object_id, entry.permissions.keys_property),
        (settings["monitor"]["principal"], ["get", "list"]),
    )
    check("it is listed", "python-1" in [vault.name for vault in vaults.list_by_subscription()])
    check("it is listed in its group", "python-1" in [vault.name for vault in vaults.list_by_resource_group(GROUP)])
    keys = keys_of("https://python-1.vault.azure.net")
    key = keys.create_rsa_key("kept")
    check("its keys say how it recovers them", key.properties.recoverable_days, 7)
    vaults.delete(GROUP, "python-1")
    refused(
        "a deleted vault",
        vaults.get,
        GROUP,
        "python-1",
        text="python-1' under resource group 'media' was not found",
        **NOT_FOUND,
    )
    refused("its host is gone", keys_of("https://python-1.vault.azure.net").get_key, "kept", **NO_HOST)
    deleted = vaults.get_deleted("python-1", LOCATION)
    check(
        "it is among the deleted ones",
        (deleted.properties.vault_id, deleted.properties.tags, deleted.properties.purge_protection_enabled),
        (where, {"team": "video"}, None),
    )
    check("for how long", (deleted.properties.scheduled_purge_date - deleted.properties.deletion_date).days, 7)
    check("they are listed", [vault.name for vault in vaults.list_deleted()], ["python-1"])
    refused(
        "its name is taken",
        vaults.begin_create_or_update,
        GROUP,
        "python-1",
        parameters(),
        kind=ResourceExistsError,
        status=409,
        code="ConflictError",
    )
    vaults.begin_create_or_update(GROUP, "python-1", parameters(create_mode="recover")).result()
    check("a recovered vault is what it was", vaults.get(GROUP, "python-1").tags, {"team": "video"})
    check("with its keys", keys.get_key("kept").key.n, key.key.n)
    refused(
        "recovering what is not deleted",
        vaults.begin_create_or_update,
        GROUP,
        "python-1",
        parameters(create_mode="recover"),
        kind=ResourceNotFoundError,
        status=404,
        code="DeletedVaultNotFound",
    )
    vaults.delete(GROUP, "python-1")
    vaults.begin_purge_deleted("python-1", LOCATION).result()
    refused(
        "a purged vault",
        vaults.get_deleted,
        "python-1",
        LOCATION,
        kind=ResourceNotFoundError,
        status=404,
        code="DeletedVaultNotFound",
    )
    check("no deleted vault is left", list(vaults.list_deleted()), [])
    anew = make("python-1", policies=[policy("owner", "all")])
    check("a vault of the same name has no keys", (anew.tags or {}, list(keys.list_properties_of_keys())), ({}, []))
    refused("deleting what is not there", vaults.get, GROUP, "never-made", **NOT_FOUND)
    refused(
        "an unknown resource group",
        vaults.get,
        "nowhere",
        "contoso",
        kind=ResourceNotFoundError,
        status=404,
        code="ResourceGroupNotFound",
    )


def protection():
    made = make("python-2", policies=[policy("owner", "all", "purge")], enable_purge_protection=True)
    check("purge protection", made.properties.enable_purge_protection)
    off = VaultPatchParameters(properties=VaultPatchProperties(enable_purge_protection=False))
    refused("it cannot be taken off", vaults.update, GROUP, "python-2", off, code="BadRequest", **BAD)
    keys = keys_of("https://python-2.vault.azure.net")
    check("keys say so", keys.create_rsa_key("cmk").properties.recovery_level, "Recoverable")
    poller = keys.begin_delete_key("cmk")
    pass_time(66)
    poller.wait()
    refused(
        "a protected key is not purged",
        keys.purge_deleted_key,
        "cmk",
        kind=HttpResponseError,
        status=403,
        code="Forbidden",
        text="purge protection is enabled",
    )
    vaults.delete(GROUP, "python-2")
    check("a deleted vault says so", vaults.get_deleted("python-2", LOCATION).properties.purge_protection_enabled)
    refused(
        "a protected vault is not purged",
        vaults.begin_purge_deleted,
        "python-2",
        LOCATION,
        code="DeletedVaultPurge",
        **BAD,
    )
    pass_time(91 * 86_400)
    refused(
        "after the retention it is gone",
        vaults.get_deleted,
        "python-2",
        LOCATION,
        kind=ResourceNotFoundError,
        status=404,
        code="DeletedVaultNotFound",
    )


def drive():
    for part in (names, life, protection):
        scenario(part)
