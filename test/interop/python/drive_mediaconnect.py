"""Every operation of MediaConnect: flows, their parts, entitlements between accounts, tags, and what a lost key does."""
from checks import client, equal, every_page, refused, settings, true
from drive_kms import kms
from drive_secrets import secrets

media = client("mediaconnect")
theirs = client("mediaconnect", credentials=settings["otherCredentials"])
loose = client("mediaconnect", validate=False)
role = settings["mediaRole"]
account, other, region = settings["account"], settings["otherAccount"], settings["region"]
WAIT = {"Delay": 1, "MaxAttempts": 20}

SPEKE = {
    "RoleArn": role,
    "KeyType": "speke",
    "Url": f"https://a1b2c3d4e5.execute-api.{region}.amazonaws.com/live/speke",
    "Region": region,
    "ResourceId": "show",
    "DeviceId": "device",
    "ConstantInitializationVector": "0123456789abcdef0123456789abcdef",
}


def static(secret, **more):
    return {"RoleArn": role, "SecretArn": secret, "Algorithm": "aes128", **more}


def denied(kind, name, secret):
    return (
        f"Permission denied accessing encryption key for {kind} {name}. "
        f"Removing {kind} until it is fixed (secret {secret}, role {role})"
    )


def errors(flow):
    return media.describe_flow(FlowArn=flow).get("Messages", {}).get("Errors")


def settle(flow, expected):
    """Asks until the flow says what is expected: it reads its keys again within the sandbox's period."""
    for _ in range(2_000):
        if errors(flow) == expected:
            return equal(errors(flow), expected)
    raise AssertionError(f"expected {expected!r}, got {errors(flow)!r}")


def life_of_a_flow(secret):
    made = media.create_flow(
        Name="show",
        FlowTags={"team": "live"},
        Source={"Name": "in", "Protocol": "zixi-push", "IngestPort": 2088, "Decryption": static(secret)},
        Outputs=[
            {
                "Name": "Test",
                "Protocol": "srt-listener",
                "Port": 5000,
                "Encryption": {"RoleArn": role, "SecretArn": secret, "KeyType": "srt-password"},
            },
            {
                "Name": "router",
                "RouterIntegrationState": "ENABLED",
                "RouterIntegrationTransitEncryption": {
                    "EncryptionKeyType": "SECRETS_MANAGER",
                    "EncryptionKeyConfiguration": {"SecretsManager": {"SecretArn": secret, "RoleArn": role}},
                },
            },
        ],
    )
    equal(made["ResponseMetadata"]["HTTPStatusCode"], 201)
    flow = made["Flow"]
    arn = flow["FlowArn"]
    true(arn.startswith(f"arn:aws:mediaconnect:{region}:{account}:flow:1-") and arn.endswith(":show"), arn)
    equal(flow["Status"], "STANDBY")
    equal(flow["Source"]["Decryption"], static(secret, KeyType="static-key"))
    equal(flow["Sources"], [flow["Source"]])
    equal(flow["Outputs"][0]["Encryption"]["KeyType"], "srt-password")
    transit = flow["Outputs"][1]["RouterIntegrationTransitEncryption"]["EncryptionKeyConfiguration"]
    equal(transit, {"SecretsManager": {"SecretArn": secret, "RoleArn": role}})
    described = media.describe_flow(FlowArn=arn)
    equal(described["Flow"], flow)
    true("Messages" not in described, "a flow without trouble tells nothing")
    started = media.start_flow(FlowArn=arn)
    equal((started["Status"], started["ResponseMetadata"]["HTTPStatusCode"]), ("STARTING", 202))
    media.get_waiter("flow_active").wait(FlowArn=arn, WaiterConfig=WAIT)
    refused("BadRequestException", "STANDBY", media.delete_flow, FlowArn=arn)
    refused("BadRequestException", "STANDBY", media.start_flow, FlowArn=arn)
    return arn


def lost_keys(flow, name, secret, key):
    every = [denied("source", "in", secret), denied("output", "Test", secret), denied("output", "router", secret)]
    equal(errors(flow), None)
    kms.disable_key(KeyId=key)
    settle(flow, every)
    kms.enable_key(KeyId=key)
    settle(flow, None)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    settle(flow, every)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    settle(flow, None)
    secrets.delete_secret(SecretId=name)
    settle(flow, every)
    output = media.describe_flow(FlowArn=flow)["Flow"]["Outputs"][0]["OutputArn"]
    good = secrets.create_secret(Name="mediaconnect/good", SecretString="ab")["ARN"]
    changed = media.update_flow_output(FlowArn=flow, OutputArn=output, Encryption={"SecretArn": good})
    equal(changed["Output"]["Encryption"], {"RoleArn": role, "SecretArn": good, "KeyType": "srt-password"})
    settle(flow, [denied("source", "in", secret), denied("output", "router", secret)])
    missing = f"arn:aws:secretsmanager:{region}:{account}:secret:none-AbCdEf"
    added = media.add_flow_outputs(
        FlowArn=flow, Outputs=[{"Name": "more", "Protocol": "zixi-pull", "Encryption": static(missing)}]
    )["Outputs"][0]
    true(denied("output", "more", missing) in errors(flow), "an update reads the keys at once")
    foreign = static(good, RoleArn=f"{role}-gone")
    media.update_flow_output(FlowArn=flow, OutputArn=added["OutputArn"], Encryption=foreign)
    true(f"role {role}-gone)" in errors(flow)[-1], "a role that does not exist")
    equal(media.remove_flow_output(FlowArn=flow, OutputArn=added["OutputArn"])["OutputArn"], added["OutputArn"])
    secrets.restore_secret(SecretId=name)
    settle(flow, None)
    kms.disable_key(KeyId=key)
    settle(flow, [denied("source", "in", secret), denied("output", "router", secret)])
    equal(media.stop_flow(FlowArn=flow)["Status"], "STOPPING")
    equal(errors(flow), None)
    media.get_waiter("flow_standby").wait(FlowArn=flow, WaiterConfig=WAIT)
    equal(errors(flow), None)
    kms.enable_key(KeyId=key)


def sources(flow, secret):
    second = {"Name": "second", "Protocol": "zixi-push"}
    added = media.add_flow_sources(FlowArn=flow, Sources=[second])["Sources"][0]
    refused("BadRequestException", "2 sources", media.add_flow_sources, FlowArn=flow, Sources=[{"Name": "third"}])
    changed = media.update_flow_source(FlowArn=flow, SourceArn=added["SourceArn"], Decryption=static(secret))["Source"]
    equal(changed["Decryption"]["SecretArn"], secret)
    removed = media.remove_flow_source(FlowArn=flow, SourceArn=added["SourceArn"])
    equal((removed["FlowArn"], removed["SourceArn"]), (flow, added["SourceArn"]))
    gone = {"FlowArn": flow, "SourceArn": added["SourceArn"]}
    refused("NotFoundException", "not found", media.remove_flow_source, status=404, **gone)
    only = media.describe_flow(FlowArn=flow)["Flow"]["Source"]["SourceArn"]
    refused("BadRequestException", "only source", media.remove_flow_source, FlowArn=flow, SourceArn=only)


def entitlements(flow):
    grant = {"Name": "grant", "Subscribers": [other], "Encryption": SPEKE, "DataTransferSubscriberFeePercent": 10}
    [given] = media.grant_flow_entitlements(FlowArn=flow, Entitlements=[grant])["Entitlements"]
    arn = given["EntitlementArn"]
    equal((given["EntitlementStatus"], given["Encryption"]), ("ENABLED", SPEKE))
    equal(media.list_entitlements()["Entitlements"], [])
    listed = {"EntitlementArn": arn, "EntitlementName": "grant", "DataTransferSubscriberFeePercent": 10}
    equal(theirs.list_entitlements()["Entitlements"], [listed])
    source = {"EntitlementArn": arn, "Decryption": SPEKE}
    entitled = theirs.create_flow(Name="entitled", Source=source)["Flow"]
    equal((entitled["Source"]["EntitlementArn"], entitled["Source"]["Decryption"]), (arn, SPEKE))
    equal([flow["SourceType"] for flow in theirs.list_flows()["Flows"]], ["ENTITLED"])
    refused("ForbiddenException", "not a subscriber", media.create_flow, status=403, Name="f", Source=source)
    ids = {"FlowArn": flow, "EntitlementArn": arn}
    updated = media.update_flow_entitlement(**ids, Subscribers=[account], EntitlementStatus="DISABLED")["Entitlement"]
    equal((updated["Subscribers"], updated["EntitlementStatus"]), ([account], "DISABLED"))
    equal(theirs.list_entitlements()["Entitlements"], [])
    equal(media.revoke_flow_entitlement(**ids)["EntitlementArn"], arn)
    refused("NotFoundException", "not found", media.revoke_flow_entitlement, status=404, **ids)
    many = [{"Name": f"e{n}", "Subscribers": [other]} for n in range(45)]
    media.grant_flow_entitlements(FlowArn=flow, Entitlements=many)
    equal([len(page["Entitlements"]) for page in every_page(theirs.list_entitlements)], [20, 20, 5])
    pages = theirs.get_paginator("list_entitlements").paginate(PaginationConfig={"PageSize": 30})
    equal([len(page["Entitlements"]) for page in pages], [30, 15])
    full = {"FlowArn": flow, "Entitlements": [{"Subscribers": [other]}] * 6}
    refused("GrantFlowEntitlements420Exception", "at most 50", media.grant_flow_entitlements, status=420, **full)


def tags(flow):
    equal(media.list_tags_for_resource(ResourceArn=flow)["Tags"], {"team": "live"})
    added = media.tag_resource(ResourceArn=flow, Tags={"env": "prod", "tier": "1"})
    equal(added["ResponseMetadata"]["HTTPStatusCode"], 204)
    media.untag_resource(ResourceArn=flow, TagKeys=["team", "tier"])
    equal(media.list_tags_for_resource(ResourceArn=flow)["Tags"], {"env": "prod"})
    refused("NotFoundException", "not found", media.list_tags_for_resource, status=404, ResourceArn=f"{flow}x")


def bad_requests(flow, secret):
    def bad(said, **fields):
        refused("BadRequestException", said, loose.create_flow, **{"Name": "f", "Source": {"Name": "s"}, **fields})

    bad("name", Name=None)
    bad("needs a source", Source=None)
    bad("not both", Sources=[{"Name": "b"}])
    bad("source.protocol", Source={"Protocol": "zixi"})
    bad("outputs.1.port", Outputs=[{"Port": "many"}])
    bad("roleArn", Source={"Protocol": "zixi-push", "Decryption": {"SecretArn": secret}})
    bad("algorithm", Source={"Protocol": "zixi-push", "Decryption": {"SecretArn": secret, "RoleArn": role}})
    bad("enum value set", Source={"Protocol": "zixi-push", "Decryption": static(secret, Algorithm="des")})
    bad("not valid for sources", Source={"Protocol": "rtp", "Decryption": static(secret)})
    bad("only valid for entitlements", Outputs=[{"Protocol": "zixi-push", "Encryption": SPEKE}])
    speke = {key: value for key, value in SPEKE.items() if key != "DeviceId"}
    bad("deviceId is required", Entitlements=[{"Subscribers": [other], "Encryption": speke}])
    bad("subscribers", Entitlements=[{"Subscribers": ["me"]}])
    refused("BadRequestException", "flowArn", media.describe_flow, FlowArn="nothing")
    refused("BadRequestException", "nextToken", media.list_flows, NextToken="none")
    refused("BadRequestException", "maxResults", loose.list_flows, MaxResults=1001)
    refused("BadRequestException", "maxResults", loose.list_entitlements, MaxResults=0)
    unknown_fields(flow)


def unknown_fields(flow):
    """botocore sends only what it knows: the bodies of these calls are changed on their way."""
    bent = client("mediaconnect")

    def bend(params, **_):
        body = params["body"].replace(b'"availabilityZone"', b'"zone"')
        params["body"] = body.replace(b'"description"', b'"descripton"')

    bent.meta.events.register("before-call.mediaconnect", bend)
    created = {"Name": "f", "Source": {"Name": "s"}, "AvailabilityZone": "a"}
    refused("BadRequestException", "Unrecognized field: zone", bent.create_flow, **created)
    outputs = [{"Name": "x", "Description": "d"}]
    said = "Unrecognized field: outputs.1.descripton"
    refused("BadRequestException", said, bent.add_flow_outputs, FlowArn=flow, Outputs=outputs)


def who_may(flow):
    refused("ForbiddenException", "permission", theirs.describe_flow, status=403, FlowArn=flow)
    refused("NotFoundException", "not found", media.describe_flow, status=404, FlowArn=f"{flow}x")
    far = client("mediaconnect", region=settings["otherRegion"])
    refused("NotFoundException", "not found", far.describe_flow, status=404, FlowArn=flow)
    equal(far.list_flows()["Flows"], [])
    simple = {"Source": {"Name": "s"}}
    said = "is not authorized to perform: mediaconnect:CreateFlow"
    refused("AccessDeniedException", said, media.create_flow, status=403, Name="denied", **simple)
    refused("TooManyRequestsException", "", media.create_flow, status=429, Name="throttled", **simple)
    refused("InternalServerErrorException", "", media.create_flow, status=500, Name="broken", **simple)
    refused("ServiceUnavailableException", "", media.create_flow, status=503, Name="unavailable", **simple)
    wrong = client("mediaconnect", credentials={**settings["credentials"], "secretAccessKey": "wrong"})
    refused("InvalidSignatureException", "does not match", wrong.list_flows, status=403)


def lists(flow):
    for number in range(19):
        media.create_flow(Name=f"f{number}", Source={"Name": "s"})
    refused("CreateFlow420Exception", "20 flows", media.create_flow, status=420, Name="f", Source={"Name": "s"})
    equal([len(page["Flows"]) for page in every_page(media.list_flows)], [10, 10])
    pages = media.get_paginator("list_flows").paginate(PaginationConfig={"PageSize": 7})
    listed = [found for page in pages for found in page["Flows"]]
    equal(len({found["FlowArn"] for found in listed}), 20)
    fields = ["AvailabilityZone", "Description", "FlowArn", "Name", "SourceType", "Status"]
    equal({tuple(sorted(found)) for found in listed}, {tuple(fields)})
    deleted = media.delete_flow(FlowArn=flow)
    equal((deleted["FlowArn"], deleted["Status"]), (flow, "DELETING"))
    media.get_waiter("flow_deleted").wait(FlowArn=flow, WaiterConfig=WAIT)
    equal(len(media.list_flows(MaxResults=1000)["Flows"]), 19)


def drive():
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    name = "mediaconnect/zixi"
    secret = secrets.create_secret(Name=name, SecretString="ab", KmsKeyId=key)["ARN"]
    flow = life_of_a_flow(secret)
    lost_keys(flow, name, secret, key)
    sources(flow, secret)
    entitlements(flow)
    tags(flow)
    bad_requests(flow, secret)
    who_may(flow)
    lists(flow)
