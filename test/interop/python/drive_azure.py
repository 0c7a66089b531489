"""Drives the sandbox's Azure with Microsoft's own SDKs for Python and checks the answers.

Reads its settings as JSON from the first line of stdin, and asks the test on the way for what only it can do. Prints
what failed, and as its last line one JSON object: how many checks there were and which of them failed.
"""

import drive_azure_access
import drive_azure_crypto
import drive_azure_how_to
import drive_azure_identity
import drive_azure_keys
import drive_azure_lists
import drive_azure_media
import drive_azure_vaults
from drive_azure_checks import report

# Certificates first: assertions carry the machine's time, and the sandbox's runs ahead of it later.
for part in (
    drive_azure_identity,
    drive_azure_keys,
    drive_azure_crypto,
    drive_azure_lists,
    drive_azure_vaults,
    drive_azure_access,
    drive_azure_how_to,
    drive_azure_media,
):
    part.drive()
print(report())
