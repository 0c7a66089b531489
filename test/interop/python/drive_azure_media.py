"""Media Services accounts with keys of their customers: their life, what breaks them, and what heals."""

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from azure.mgmt.media.models import (
    AccountEncryption,
    KeyVaultProperties,
    MediaService,
    MediaServiceIdentity,
    MediaServiceUpdate,
    ResourceIdentity,
    StorageAccount,
    SyncStorageKeysInput,
)

from drive_azure_checks import (
    GROUP,
    ask,
    check,
    keys_of,
    media_as,
    pass_time,
    refused,
    scenario,
    settings,
    vaults_as,
)

TENANT = settings["tenant"]
# The document's five minutes.
PICK_UP_S = 301

accounts = media_as().mediaservices
BAD = {"kind": HttpResponseError, "status": 400, "code": "BadRequest"}
LOCKED = {"kind": HttpResponseError, "status": 403, "code": "CustomerKeyInaccessible"}


def encryption(identifier, **identity):
    own = {"identity": ResourceIdentity(**identity)} if identity else {}
    return AccountEncryption(
        type="CustomerKey", key_vault_properties=KeyVaultProperties(key_identifier=identifier), **own
    )


def by_system_identity():
    return {"use_system_assigned_identity": True}


def update(name, identifier, **more):
    return accounts.begin_update(
        GROUP, name, MediaServiceUpdate(encryption=encryption(identifier, **by_system_identity()), **more)
    ).result()


def make(name, location="West Europe"):
    body = MediaService(
        location=location,
        identity=MediaServiceIdentity(type="SystemAssigned"),
        storage_accounts=[StorageAccount(id=settings["storage"], type="Primary")],
        encryption=AccountEncryption(type="SystemKey"),
        tags={"team": "video"},
    )
    return accounts.begin_create_or_update(GROUP, name, body).result()


def life():
    """An account whose key follows, by SDK alone."""
    made = make("python1")
    check(
        "a new account",
        (made.encryption.type, made.encryption.status, made.location, made.tags),
        ("SystemKey", None, "West Europe", {"team": "video"}),
    )
    check("it has an identity", (made.identity.type, len(made.identity.principal_id)), ("SystemAssigned", 36))
    check("its storage", [(one.id, one.type) for one in made.storage_accounts], [(settings["storage"], "Primary")])
    vault = settings["mediaVault"]
    keys = keys_of(vault)
    key = keys.create_rsa_key("customer", size=3072)
    refused(
        "without a right to the key",
        update,
        "python1",
        f"{vault}/keys/customer",
        text="cannot get, wrap and unwrap",
        **BAD,
    )
    ask("grant", principal=made.identity.principal_id)
    updated = update("python1", f"{vault}/keys/customer")
    check("a customer's key", (updated.encryption.type, updated.encryption.status), ("CustomerKey", None))
    mapping = updated.encryption.key_vault_properties
    check(
        "its identifiers", (mapping.key_identifier, mapping.current_key_identifier), (f"{vault}/keys/customer", key.id)
    )
    check("who reads it", updated.encryption.identity.use_system_assigned_identity)
    listed = {one.name: one for one in accounts.list(GROUP)}
    check("the list tells the same", listed["python1"].encryption.key_vault_properties.current_key_identifier, key.id)
    newer = keys.rotate_key("customer")
    check("a new version is not used at once", in_use("python1"), key.id)
    pass_time(PICK_UP_S)
    check("it is used five minutes later", in_use("python1"), newer.id)
    pinned = update("python1", newer.id)
    check("a version that is named", pinned.encryption.key_vault_properties.key_identifier, newer.id)
    keys.rotate_key("customer")
    pass_time(PICK_UP_S)
    check("is used for ever", in_use("python1"), newer.id)
    newest = update("python1", f"{vault}/keys/customer").encryption.key_vault_properties.current_key_identifier
    check("the newest, without a version", newest, keys.get_key("customer").id)
    system = accounts.begin_update(
        GROUP, "python1", MediaServiceUpdate(encryption=AccountEncryption(type="SystemKey"))
    ).result()
    check(
        "back to the system's key",
        (system.encryption.type, system.encryption.key_vault_properties),
        ("SystemKey", None),
    )
    update("python1", f"{vault}/keys/customer")


def in_use(name):
    return accounts.get(GROUP, name).encryption.key_vault_properties.current_key_identifier


def rules():
    """What the document demands of a key."""
    vault = settings["mediaVault"]
    keys = keys_of(vault)
    keys.create_ec_key("elliptic")
    refused("an EC key", update, "python1", f"{vault}/keys/elliptic", text="EC keys are not supported", **BAD)
    refused("a missing key", update, "python1", f"{vault}/keys/never", text="was not found", **BAD)
    refused("no key at all", update, "python1", vault, text="is not valid", **BAD)
    refused(
        "a missing vault", update, "python1", "https://never-made.vault.azure.net/keys/x", text="was not found", **BAD
    )
    unprotected = settings["vault"]
    keys_of(unprotected).create_rsa_key("customer")
    refused(
        "a vault without purge protection",
        update,
        "python1",
        f"{unprotected}/keys/customer",
        text="purge protection",
        **BAD,
    )
    make("python2", location="North Europe")
    refused("a vault of another region", update, "python2", f"{vault}/keys/customer", text="same region", **BAD)
    refused("a name that no account can have", make, "Not-Valid", **BAD)
    check("a refused update changes nothing", accounts.get(GROUP, "python2").encryption.type, "SystemKey")
    for size in (2048, 4096):
        keys.create_rsa_key(f"size-{size}", size=size)
        used = update("python1", f"{vault}/keys/size-{size}").encryption.key_vault_properties.key_identifier
        check(f"a key of {size} bits", used, f"{vault}/keys/size-{size}")
    user = {
        "/subscriptions/s/resourceGroups/media/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader": {}
    }
    identity = MediaServiceIdentity(type="SystemAssigned,UserAssigned", user_assigned_identities=user)
    changed = accounts.begin_update(GROUP, "python1", MediaServiceUpdate(identity=identity)).result()
    [(held, about)] = changed.identity.user_assigned_identities.items()
    ask("grant", principal=about.principal_id)
    mapping = encryption(f"{vault}/keys/customer", user_assigned_identity=held, use_system_assigned_identity=False)
    by_user = accounts.begin_update(GROUP, "python1", MediaServiceUpdate(encryption=mapping)).result()
    check("an identity of the user's", by_user.encryption.identity.user_assigned_identity, held)
    other = encryption(f"{vault}/keys/customer", user_assigned_identity=f"{held}-2", use_system_assigned_identity=False)
    refused(
        "one that the account does not have",
        accounts.begin_update,
        GROUP,
        "python1",
        MediaServiceUpdate(encryption=other),
        text="does not have the managed identity",
        **BAD,
    )
    update("python1", f"{vault}/keys/customer")


def locked(how):
    """Everything but GET, LIST and DELETE is refused."""
    status = accounts.get(GROUP, "python1").encryption.status or ""
    check(f"{how}: GET works and says so", "inaccessible" in status)
    [listed] = [one for one in accounts.list_by_subscription() if one.name == "python1"]
    check(f"{how}: LIST works and says so", "inaccessible" in (listed.encryption.status or ""))
    inside = media_as()
    refused(f"{how}: no change", accounts.begin_update, GROUP, "python1", MediaServiceUpdate(tags={"a": "b"}), **LOCKED)
    refused(
        f"{how}: no storage keys",
        accounts.sync_storage_keys,
        GROUP,
        "python1",
        SyncStorageKeysInput(id=settings["storage"]),
        **LOCKED,
    )
    refused(f"{how}: no assets", lambda: list(inside.assets.list(GROUP, "python1")), **LOCKED)
    refused(f"{how}: no streaming", lambda: list(inside.streaming_endpoints.list(GROUP, "python1")), **LOCKED)


def healthy(how):
    shown = accounts.get(GROUP, "python1")
    check(f"{how}: the account is well", (shown.encryption.type, shown.encryption.status), ("CustomerKey", None))
    check(f"{how}: its assets can be listed", list(media_as().assets.list(GROUP, "python1")), [])


def loss():
    """Every way to lose a key that the document names, and the way back."""
    keys = keys_of(settings["mediaVault"])
    principal = accounts.get(GROUP, "python1").identity.principal_id
    healthy("before")
    ask("revoke", principal=principal)
    locked("the right is taken away")
    ask("grant", principal=principal)
    healthy("the right is back")
    keys.update_key_properties("customer", enabled=False)
    locked("the key is disabled")
    keys.update_key_properties("customer", enabled=True)
    healthy("the key is enabled")
    poller = keys.begin_delete_key("customer")
    locked("the key is deleted")
    pass_time(66)
    poller.wait()
    recovery = keys.begin_recover_deleted_key("customer")
    pass_time(16)
    recovery.wait()
    healthy("the key is recovered")
    vaults = vaults_as().vaults
    name = settings["mediaVault"].split("/")[2].split(".")[0]
    shown = vaults.get(GROUP, name)
    vaults.delete(GROUP, name)
    locked("the vault is deleted")
    body = {
        "location": shown.location,
        "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "createMode": "recover"},
    }
    vaults.begin_create_or_update(GROUP, name, body).result()
    locked("the vault is recovered, its roles are not")
    told = {"kind": HttpResponseError, "status": 403, "code": "Forbidden", "inner": "ForbiddenByRbac"}
    refused("roles at a vault are lost with it", keys.get_key, "customer", **told)
    ask("assign", principal=settings["owner"]["principal"], role="Key Vault Administrator", scope=shown.id)
    ask("grant", principal=principal)
    healthy("vault and roles are back")
    client = keys.get_cryptography_client("customer")
    envelope = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"2" * 32).encrypted_key
    check("the recovered key still unwraps", client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, envelope).key, b"2" * 32)
    ask("revoke", principal=principal)
    accounts.delete(GROUP, "python1")
    gone = {"kind": ResourceNotFoundError, "status": 404, "code": "ResourceNotFound"}
    refused("an account without its key can be deleted", accounts.get, GROUP, "python1", **gone)


def rights():
    monitor, stranger = media_as("monitor").mediaservices, media_as("stranger").mediaservices
    denied = {"kind": HttpResponseError, "status": 403, "code": "AuthorizationFailed"}
    check("a reader reads", monitor.get(GROUP, "python2").name, "python2")
    refused(
        "a reader changes nothing",
        monitor.begin_update,
        GROUP,
        "python2",
        MediaServiceUpdate(tags={}),
        text="Microsoft.Media/mediaservices/write",
        **denied,
    )
    refused(
        "a reader deletes nothing",
        monitor.delete,
        GROUP,
        "python2",
        text="Microsoft.Media/mediaservices/delete",
        **denied,
    )
    refused(
        "a stranger reads nothing", stranger.get, GROUP, "python2", text="Microsoft.Media/mediaservices/read", **denied
    )
    refused(
        "a missing account",
        monitor.get,
        GROUP,
        "never",
        kind=ResourceNotFoundError,
        status=404,
        code="ResourceNotFound",
    )


def retirement():
    """What is left of the service in the real Azure."""
    told = (
        ("InvalidResourceNamespace", ResourceNotFoundError, 404),
        ("DisallowedProvider", HttpResponseError, 403),
        ("MissingSubscriptionRegistration", ResourceExistsError, 409),
    )
    for code, kind, status in told:
        ask("retire", code=code)
        refused(f"retired: {code}", lambda: list(accounts.list_by_subscription()), kind=kind, status=status, code=code)
    ask("retire", code=None)
    check("back from retirement", "python2" in [one.name for one in accounts.list_by_subscription()])


def drive():
    for part in (life, rules, loss, rights, retirement):
        scenario(part)
