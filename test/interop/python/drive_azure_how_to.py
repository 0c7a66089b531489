"""Microsoft's how-to for customer managed keys with Media Services, step by step, without any SDK but at the end."""

import requests

from drive_azure_checks import (
    SUBSCRIPTION,
    check,
    media_as,
    pass_time,
    scenario,
    settings,
)

TENANT = settings["tenant"]
ARM = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/how-to"
KEY = "https://how-to-vault.vault.azure.net/keys/customer"
# The document's five minutes.
PICK_UP_S = 301

accounts = media_as().mediaservices


def token(resource):
    """A token as the document asks for one, without any SDK."""
    about = settings["owner"]
    form = {
        "grant_type": "client_credentials",
        "client_id": about["clientId"],
        "client_secret": about["clientSecret"],
        "resource": resource,
    }
    answer = requests.post(f"https://login.microsoftonline.com/{TENANT}/oauth2/token", data=form, timeout=30)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def put(url, headers, body, version):
    return requests.put(url, headers=headers, json=body, params={"api-version": version}, timeout=30)


def get(url, headers, version):
    return requests.get(url, headers=headers, params={"api-version": version}, timeout=30)


def how_to():
    """Microsoft's page, in its order and with its versions of the APIs."""
    arm = token("https://management.core.windows.net/")
    group = put(ARM, arm, {"location": "westus2"}, "2021-04-01")
    check("how-to: the resource group", group.status_code, 201)
    storage = f"{ARM}/providers/Microsoft.Storage/storageAccounts/howtostorage"
    made = put(
        storage,
        arm,
        {"sku": {"name": "Standard_GRS"}, "kind": "StorageV2", "location": "westus2", "properties": {}},
        "2019-06-01",
    )
    check("how-to 2: create the storage account", made.status_code, 202)
    status = requests.get(made.headers["location"], headers=arm, timeout=30)
    check(
        "how-to 3: its status",
        (status.status_code, status.json()["properties"]["provisioningState"]),
        (200, "Succeeded"),
    )
    shown = get(storage, arm, "2019-06-01").json()
    check("how-to 4: get it", (shown["name"], shown["sku"]["name"]), ("howtostorage", "Standard_GRS"))
    media = f"{ARM}/providers/Microsoft.Media/mediaservices/howtomedia"
    body = {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageAccounts": [{"id": shown["id"], "type": "Primary"}],
            "encryption": {"type": "SystemKey"},
        },
        "location": "westus2",
    }
    account = put(media, arm, body, "2020-05-01")
    check(
        "how-to 5: a Media Services account with an identity",
        (account.status_code, account.json()["properties"]["encryption"]),
        (201, {"type": "SystemKey"}),
    )
    identity = account.json()["identity"]["principalId"]
    vault = {
        "location": "westus2",
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "enableSoftDelete": True,
            "enablePurgeProtection": True,
            "accessPolicies": [
                {
                    "tenantId": TENANT,
                    "objectId": settings["owner"]["principal"],
                    "permissions": {"keys": ["create", "get", "list", "update", "delete", "recover"]},
                },
                {"tenantId": TENANT, "objectId": identity, "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]}},
            ],
        },
    }
    key_vault = f"{ARM}/providers/Microsoft.KeyVault/vaults/how-to-vault"
    check("how-to 6: a vault with purge protection", put(key_vault, arm, vault, "2019-09-01").status_code, 200)
    pass_time(31)
    data = token("https://vault.azure.net")
    create = requests.post(
        f"{KEY}/create", headers=data, json={"kty": "RSA"}, params={"api-version": "7.1"}, timeout=30
    )
    check(
        "how-to 7, 8: an RSA key by a token for the vault",
        (create.status_code, create.json()["key"]["kty"]),
        (200, "RSA"),
    )
    first = create.json()["key"]["kid"]
    body["properties"]["encryption"] = {"type": "CustomerKey", "keyVaultProperties": {"keyIdentifier": KEY}}
    used = put(media, arm, body, "2020-05-01")
    expected = {"keyIdentifier": KEY, "currentKeyIdentifier": first}
    check(
        "how-to 9, 10: the account uses the key",
        (used.status_code, used.json()["properties"]["encryption"]["keyVaultProperties"]),
        (200, expected),
    )
    second = requests.post(
        f"{KEY}/create", headers=data, json={"kty": "RSA"}, params={"api-version": "7.1"}, timeout=30
    ).json()["key"]["kid"]
    current = get(media, arm, "2020-05-01").json()["properties"]["encryption"]["keyVaultProperties"][
        "currentKeyIdentifier"
    ]
    check("how-to, change the key: not at once", current, first)
    pass_time(PICK_UP_S)
    current = get(media, arm, "2020-05-01").json()["properties"]["encryption"]["keyVaultProperties"][
        "currentKeyIdentifier"
    ]
    check("how-to, change the key: after five minutes", current, second)
    check(
        "how-to: the SDK says the same",
        accounts.get("how-to", "howtomedia").encryption.key_vault_properties.current_key_identifier,
        second,
    )
    for name, url, version in (
        ("account", media, "2020-05-01"),
        ("storage account", storage, "2019-06-01"),
        ("vault", key_vault, "2019-09-01"),
    ):
        answer = requests.delete(url, headers=arm, params={"api-version": version}, timeout=30)
        check(f"how-to, shut down: delete the {name}", answer.status_code, 200)
    check("how-to, shut down: the account is gone", get(media, arm, "2020-05-01").status_code, 404)


def drive():
    for part in (how_to,):
        scenario(part)
