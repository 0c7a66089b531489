"""Every operation of KMS: states, aliases, rotation, encryption, imported material, regions."""
import uuid
from datetime import datetime, timedelta, timezone

from checks import client, equal, refused, settings, true
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

kms = client("kms")


def life_of_a_key():
    made = kms.create_key(Description="d", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    key, arn = made["KeyId"], made["Arn"]
    equal((made["KeyState"], made["Origin"], made["MultiRegion"]), ("Enabled", "AWS_KMS", False))
    kms.disable_key(KeyId=key)
    equal(kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"], "Disabled")
    refused("DisabledException", f"{arn} is disabled.", kms.encrypt, KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=arn)
    scheduled = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    equal((scheduled["KeyId"], scheduled["KeyState"], scheduled["PendingWindowInDays"]), (arn, "PendingDeletion", 7))
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"], scheduled["DeletionDate"])
    refused("KMSInvalidStateException", f"{arn} is pending deletion.", kms.encrypt, KeyId=key, Plaintext=b"x")
    refused("KMSInvalidStateException", "is pending deletion.", kms.enable_key, KeyId=key)
    equal(kms.cancel_key_deletion(KeyId=key)["KeyId"], arn)
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")
    refused("KMSInvalidStateException", "is not pending deletion", kms.cancel_key_deletion, KeyId=key)
    kms.enable_key(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "env", "TagValue": "b"}])
    kms.untag_resource(KeyId=key, TagKeys=["team"])
    equal(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "env", "TagValue": "b"}])
    true("kms:*" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"], "the default policy")
    gone = str(uuid.uuid4())
    refused("NotFoundException", f"key/{gone}' does not exist", kms.describe_key, KeyId=gone)
    refused("NotFoundException", "Invalid keyId 'fake'", kms.describe_key, KeyId="fake")
    far = arn.replace(settings["region"], settings["otherRegion"])
    refused("NotFoundException", f"Invalid arn {settings['otherRegion']}", kms.describe_key, KeyId=far)
    return key, arn


def aliases(key):
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    equal(kms.describe_key(KeyId="alias/app")["KeyMetadata"]["KeyId"], key)
    refused("AlreadyExistsException", "alias/app", kms.create_alias, AliasName="alias/app", TargetKeyId=key)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/app", TargetKeyId=other)
    equal([alias["AliasName"] for alias in kms.list_aliases(KeyId=other)["Aliases"]], ["alias/app"])
    listed = {alias["AliasName"]: alias for alias in kms.list_aliases()["Aliases"]}
    true("TargetKeyId" not in listed["alias/aws/ebs"], "an alias of a service that was never used")
    true("TargetKeyId" in listed["alias/aws/secretsmanager"], "the alias of a service that was used")
    equal(kms.describe_key(KeyId="alias/aws/secretsmanager")["KeyMetadata"]["KeyManager"], "AWS")
    pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 5})
    equal(sum(len(page["Aliases"]) for page in pages), len(listed))
    kms.delete_alias(AliasName="alias/app")
    refused("NotFoundException", "alias/app is not found.", kms.describe_key, KeyId="alias/app")


def key_rotation(key, arn):
    equal(kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"], False)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    equal((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    true(status["NextRotationDate"] > datetime.now(timezone.utc), status)
    kms.disable_key_rotation(KeyId=key)
    first = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    for _ in range(3):
        equal(kms.rotate_key_on_demand(KeyId=key)["KeyId"], arn)
    current = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    true(current != first, "a rotation changes the material")
    pages = list(kms.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 2}))
    rotations = [rotation for page in pages for rotation in page["Rotations"]]
    equal([len(page["Rotations"]) for page in pages], [2, 1])
    equal((rotations[-1]["KeyMaterialId"], rotations[-1]["KeyMaterialState"]), (current, "CURRENT"))
    every = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal(every[0]["KeyMaterialId"], first)
    refused("InvalidMarkerException", "", kms.list_keys, Marker="nonsense")
    rsa = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    true("CurrentKeyMaterialId" not in rsa, rsa)
    refused("UnsupportedOperationException", "", kms.enable_key_rotation, KeyId=rsa["KeyId"])


def encryption(key, arn):
    context = {"SecretARN": "a", "SecretVersionId": "b"}
    sealed = kms.encrypt(KeyId=key, Plaintext=b"hello", EncryptionContext=context)
    equal((sealed["KeyId"], sealed["EncryptionAlgorithm"]), (arn, "SYMMETRIC_DEFAULT"))
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    equal((opened["Plaintext"], opened["KeyId"]), (b"hello", arn))
    true("KeyMaterialId" in opened, opened)
    refused("InvalidCiphertextException", "", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    refused("InvalidCiphertextException", "", kms.decrypt, CiphertextBlob=b"nonsense")
    dry = "The request would have succeeded, but the DryRun option is set."
    refused("DryRunOperationException", dry, kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True)
    refused("DryRunOperationException", dry, kms.decrypt, KeyId=key, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    refused(
        "IncorrectKeyException",
        "does not identify a CMK",
        kms.decrypt,
        CiphertextBlob=sealed["CiphertextBlob"],
        EncryptionContext=context,
        KeyId=other,
    )


def import_material(key, fill, **more):
    parameters = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    public = serialization.load_der_public_key(parameters["PublicKey"])
    oaep = padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    arguments = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", **more}
    return kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=public.encrypt(bytes([fill]) * 32, oaep),
        **arguments,
    )


def imported_material():
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingImport")
    refused("KMSInvalidStateException", "is pending import.", kms.encrypt, KeyId=key, Plaintext=b"x")
    first = import_material(key, 1)["KeyMaterialId"]
    until = datetime.now(timezone.utc) + timedelta(days=1)
    second = import_material(
        key, 2, ImportType="NEW_KEY_MATERIAL", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=until
    )["KeyMaterialId"]
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"], first)
    kms.rotate_key_on_demand(KeyId=key)
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    equal((described["CurrentKeyMaterialId"], described["ExpirationModel"]), (second, "KEY_MATERIAL_EXPIRES"))
    true(abs(described["ValidTo"] - until) < timedelta(seconds=2), described)
    equal(kms.delete_imported_key_material(KeyId=key)["KeyMaterialId"], second)
    lost = kms.describe_key(KeyId=key)["KeyMetadata"]
    equal((lost["KeyState"], lost["CurrentKeyMaterialId"]), ("PendingImport", second))
    refused("UnsupportedOperationException", "origin is EXTERNAL", kms.get_key_rotation_status, KeyId=key)
    states = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal([rotation["ImportState"] for rotation in states], ["IMPORTED", "PENDING_IMPORT"])


def keys_in_regions():
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    true(key.startswith("mrk-"), key)
    replica = kms.replicate_key(KeyId=key, ReplicaRegion=settings["otherRegion"])["ReplicaKeyMetadata"]
    equal((replica["KeyState"], replica["Enabled"]), ("Creating", False))
    equal(replica["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA")
    equal(kms.schedule_key_deletion(KeyId=key)["KeyState"], "PendingReplicaDeletion")
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}))
    listed = [entry["KeyId"] for page in pages for entry in page["Keys"]]
    equal(len(listed), len(set(listed)))
    true(key in listed and len(pages) > 1, listed)


def drive():
    key, arn = life_of_a_key()
    aliases(key)
    key_rotation(key, arn)
    encryption(key, arn)
    imported_material()
    keys_in_regions()
