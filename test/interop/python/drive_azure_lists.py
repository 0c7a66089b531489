"""Long lists: 120 keys in several vaults, many versions, vaults and deleted keys, page by page."""

from drive_azure_checks import SUBSCRIPTION, ask, check, keys_of, media_as, pass_time, scenario, settings, vaults_as

COUNTS = (60, 35, 25)
PAGES = ([25, 25, 10], [25, 10], [25])


def many_keys():
    made, seen = 0, set()
    for vault, count, pages in zip(settings["manyVaults"], COUNTS, PAGES, strict=True):
        keys = keys_of(vault)
        for number in range(count):
            keys.create_ec_key(f"key-{number:03}", enabled=number % 10 != 0)
        made += count
        listed = [list(page) for page in keys.list_properties_of_keys().by_page()]
        check(f"{count} keys are so many pages", [len(page) for page in listed], pages)
        names = [key.name for page in listed for key in page]
        check(f"none of {count} keys twice, none left out", names, [f"key-{number:03}" for number in range(count)])
        off = [key.name for page in listed for key in page if not key.enabled]
        check(f"the disabled ones of {count}", len(off), (count + 9) // 10)
        seen |= {key.id for page in listed for key in page}
    check("all keys of all vaults", (made, len(seen)), (120, 120))


def small_pages():
    keys = keys_of(settings["manyVaults"][1])
    pages = [list(page) for page in keys.list_properties_of_keys(max_page_size=10).by_page()]
    check("smaller pages", [len(page) for page in pages], [10, 10, 10, 5])
    pages = [list(page) for page in keys.list_properties_of_keys(max_page_size=100).by_page()]
    check("no page is larger than 25", [len(page) for page in pages], [25, 10])
    pager = keys.list_properties_of_keys().by_page()
    first = [key.name for key in next(pager)]
    token = pager.continuation_token
    keys.update_key_properties("key-020", tags={"a": "b"})
    rest = [key.name for page in keys.list_properties_of_keys().by_page(continuation_token=token) for key in page]
    check("a list goes on where it was left", first + rest, [f"key-{number:03}" for number in range(35)])


def many_versions():
    keys = keys_of(settings["manyVaults"][2])
    ids = {keys.rotate_key("key-001").properties.version for _ in range(59)}
    pages = [list(page) for page in keys.list_properties_of_key_versions("key-001").by_page()]
    check("sixty versions are three pages", [len(page) for page in pages], [25, 25, 10])
    listed = {version.version for page in pages for version in page}
    check("every version once", (len(listed), ids <= listed), (60, True))


def many_deleted():
    keys = keys_of(settings["manyVaults"][0])
    pollers = [keys.begin_delete_key(f"key-{number:03}") for number in range(30)]
    check("deleted keys leave the list at once", len(list(keys.list_properties_of_keys())), 30)
    check("and come later among the deleted ones", list(keys.list_deleted_keys()), [])
    pass_time(66)
    for poller in pollers:
        poller.wait()
    pages = [list(page) for page in keys.list_deleted_keys().by_page()]
    check("thirty deleted keys are two pages", [len(page) for page in pages], [25, 5])


def lists_of_arm():
    """Pages of ARM, with empty ones between them: only a missing link ends a list."""
    ask("pages", size=2, empty=True)
    vaults, media = vaults_as("monitor"), media_as("monitor")
    pages = [[vault.name for vault in page] for page in vaults.vaults.list_by_subscription().by_page()]
    check("pages of vaults, every other one empty", [len(page) for page in pages[:4]], [0, 2, 0, 2])
    listed = [name for page in pages for name in page]
    check("every vault once", (len(listed), len(set(listed))), (settings["vaults"], settings["vaults"]))
    tracked = [vault.name for vault in vaults.vaults.list()]
    check("the list of resources has the same", sorted(tracked), sorted(listed))
    accounts = [account.name for account in media.mediaservices.list_by_subscription()]
    check("every account, over @odata.nextLink", accounts, [f"account{number}" for number in range(5)])
    check("the accounts of a group", len(list(media.mediaservices.list("lists"))), 5)
    check("the vaults of a group", [vault.name for vault in vaults.vaults.list_by_resource_group("lists")], [])
    ask("pages", size=100, empty=False)
    keys = [key.name for key in vaults.keys.list("media", "many-1")]
    check("ARM lists keys too", keys, [f"key-{number:03}" for number in range(35)])
    key = vaults.keys.get("media", "many-1", "key-010")
    ours = keys_of(settings["manyVaults"][1]).get_key("key-010")
    check(
        "ARM's witness agrees", (key.properties.attributes.enabled, key.properties.kty), (ours.properties.enabled, "EC")
    )
    newest = key.properties.key_uri_with_version.split("/")[-1]
    check("and on the version", newest, ours.properties.version)
    versions = [version.name for version in vaults.keys.list_versions("media", "many-2", "key-001")]
    check("ARM lists versions", len(versions), 60)
    one = vaults.keys.get_version("media", "many-2", "key-001", versions[0])
    check("and shows one", one.properties.curve_name, "P-256")
    check("in the subscription", key.id.startswith(f"/subscriptions/{SUBSCRIPTION}/"))


def drive():
    for part in (many_keys, small_pages, many_versions, many_deleted, lists_of_arm):
        scenario(part)
