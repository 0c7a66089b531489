"""Who may use a vault, and from where: access policies, roles, networks, managed HSMs."""

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.keyvault.models import (
    NetworkRuleSet,
    VaultAccessPolicyParameters,
    VaultAccessPolicyProperties,
    VaultPatchParameters,
    VaultPatchProperties,
)

from drive_azure_checks import (
    GROUP,
    ask,
    check,
    credentials,
    keys_of,
    refused,
    scenario,
    settings,
    vaults_as,
)
from drive_azure_vaults import parameters, policy

VAULT = "https://python-1.vault.azure.net"

vaults = vaults_as().vaults


def policies():
    keys = keys_of(VAULT)
    keys.create_rsa_key("cmk")
    user = keys_of(VAULT, "user")
    denied = {"kind": HttpResponseError, "status": 403, "code": "Forbidden", "inner": "AccessDenied"}
    refused("before the policy", user.get_key, "cmk", **denied)

    def change(operation, *permissions):
        properties = VaultAccessPolicyProperties(access_policies=[policy("user", *permissions)])
        return vaults.update_access_policy(
            GROUP, "python-1", operation, VaultAccessPolicyParameters(properties=properties)
        )

    change("add", "get")
    check("with get", user.get_key("cmk").name, "cmk")
    refused("without list", lambda: list(user.list_properties_of_keys()), **denied)
    change("add", "list")
    check(
        "with get and list",
        ([key.name for key in user.list_properties_of_keys()], user.get_key("cmk").name),
        (["cmk"], "cmk"),
    )
    change("replace", "list")
    refused("replaced by list alone", user.get_key, "cmk", **denied)
    change("remove", "list")
    refused("removed again", lambda: list(user.list_properties_of_keys()), **denied)
    check("others keep theirs", [key.name for key in keys.list_properties_of_keys()], ["cmk"])
    vaults.update(
        GROUP,
        "python-1",
        VaultPatchParameters(properties=VaultPatchProperties(enable_rbac_authorization=True), tags={"by": "role"}),
    )
    shown = vaults.get(GROUP, "python-1")
    check("by roles from now on", (shown.properties.enable_rbac_authorization, shown.tags), (True, {"by": "role"}))
    rbac = {**denied, "inner": "ForbiddenByRbac"}
    refused("a policy does not count any more", user.get_key, "cmk", **rbac)
    ask(
        "assign",
        principal=settings["user"]["principal"],
        role="Key Vault Crypto Service Encryption User",
        scope=shown.id,
    )
    check("a role does", user.get_key("cmk").name, "cmk")
    cryptography = user.get_cryptography_client("cmk")
    wrapped = cryptography.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"0" * 32).encrypted_key
    check("it unwraps", cryptography.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped).key, b"0" * 32)
    refused("it deletes nothing", user.begin_delete_key, "cmk", **rbac)


def network():
    keys = keys_of(VAULT)
    forbidden = {"kind": HttpResponseError, "status": 403, "code": "Forbidden"}

    def rules(**more):
        vaults.update(GROUP, "python-1", VaultPatchParameters(properties=VaultPatchProperties(**more)))

    closed = {"default_action": "Deny", "ip_rules": [], "virtual_network_rules": []}
    rules(network_acls=NetworkRuleSet(bypass="AzureServices", **closed))
    refused(
        "a firewall",
        keys.get_key,
        "cmk",
        inner="ForbiddenByFirewall",
        text="caller is not a trusted service",
        **forbidden,
    )
    rules(network_acls=NetworkRuleSet(bypass="None", **closed))
    refused(
        "a firewall without bypass",
        keys.get_key,
        "cmk",
        inner="ForbiddenByFirewall",
        text="bypass is set to None",
        **forbidden,
    )
    acls = vaults.get(GROUP, "python-1").properties.network_acls
    check("ARM shows the rules", (acls.bypass, acls.default_action), ("None", "Deny"))
    rules(network_acls=NetworkRuleSet(bypass="None", default_action="Allow"), public_network_access="Disabled")
    refused(
        "private endpoints only",
        keys.get_key,
        "cmk",
        inner="ForbiddenByConnection",
        text="Public network access is disabled",
        **forbidden,
    )
    rules(public_network_access="Enabled")
    check("open again", keys.get_key("cmk").name, "cmk")


def rights():
    monitor, stranger = vaults_as("monitor").vaults, vaults_as("stranger").vaults
    denied = {"kind": HttpResponseError, "status": 403, "code": "AuthorizationFailed"}
    action = "does not have authorization to perform action 'Microsoft.KeyVault/{}'"
    check("a reader reads", monitor.get(GROUP, "contoso").name, "contoso")
    check("a reader lists what is deleted", list(monitor.list_deleted()), [])
    refused(
        "a reader makes nothing",
        monitor.begin_create_or_update,
        GROUP,
        "python-3",
        parameters(),
        text=action.format("vaults/write"),
        **denied,
    )
    refused("a reader deletes nothing", monitor.delete, GROUP, "contoso", text=action.format("vaults/delete"), **denied)
    refused("a stranger reads nothing", stranger.get, GROUP, "contoso", text=action.format("vaults/read"), **denied)
    refused("a stranger lists nothing", lambda: list(stranger.list_by_subscription()), **denied)
    ask("deny")
    refused("a reader whose role was taken", lambda: list(monitor.list_by_subscription()), **denied)
    ask("allow")
    check("a reader who has it again", "contoso" in [vault.name for vault in monitor.list_by_subscription()])
    nowhere = KeyVaultManagementClient(credentials["monitor"], "99999999-9999-4999-8999-999999999999", retry_total=0)
    refused(
        "an unknown subscription",
        lambda: list(nowhere.vaults.list_by_subscription()),
        kind=ResourceNotFoundError,
        status=404,
        code="SubscriptionNotFound",
    )
    elsewhere = KeyVaultManagementClient(credentials["monitor"], settings["elsewhere"]["subscription"], retry_total=0)
    refused(
        "the subscription of another tenant",
        lambda: list(elsewhere.vaults.list_by_subscription()),
        kind=ClientAuthenticationError,
        status=401,
        code="InvalidAuthenticationTokenTenant",
    )


def hsms():
    shown = list(vaults_as("monitor").managed_hsms.list_by_subscription())
    check(
        "managed HSMs", [(one.name, one.properties.hsm_uri.rstrip("/")) for one in shown], [("hsm-1", settings["hsm"])]
    )
    keys = keys_of(settings["hsm"])
    check("its keys, over its own challenge", [key.name for key in keys.list_properties_of_keys()], [])
    made = keys.create_oct_key("aes", size=256, hardware_protected=True)
    check("a symmetric key", (made.key_type, made.key.k), ("oct-HSM", None))
    client = keys.get_cryptography_client("aes")
    wrapped = client.wrap_key(KeyWrapAlgorithm.aes_256, b"1" * 32).encrypted_key
    check("it wraps", client.unwrap_key(KeyWrapAlgorithm.aes_256, wrapped).key, b"1" * 32)
    refused("no software keys", keys.create_rsa_key, "soft", kind=HttpResponseError, status=400, code="BadParameter")
    monitor = keys_of(settings["hsm"], "monitor")
    check("the monitor reads", monitor.get_key("aes").name, "aes")
    refused(
        "the monitor makes none",
        monitor.create_oct_key,
        "more",
        hardware_protected=True,
        kind=HttpResponseError,
        status=403,
        code="Forbidden",
        inner="ForbiddenByRbac",
        text="Microsoft.KeyVault/managedHsm/keys/create",
    )


def drive():
    for part in (policies, network, rights, hsms):
        scenario(part)
