"""The content of the local Azure: tenants, identities, subscriptions, registries, and its settings.

Plain data, shared by all services; the control API changes it under `World.lock`.
The demo, the tests and `python -m acr_emulator` start with `default_world()`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

ACR_AUDIENCE = "https://containerregistry.azure.net"
ARM_AUDIENCE = "https://management.azure.com"
ARM_AUDIENCES = (ARM_AUDIENCE, "https://management.core.windows.net", "https://management.core.windows.net/")

PrincipalKind = Literal["user", "servicePrincipal", "managedIdentity"]
RoleMode = Literal["LegacyRegistryPermissions", "AbacRepositoryPermissions"]
HalfChunk = Literal["kept", "dropped"]
EmptyLists = Literal["array", "null"]
Part = Literal["metadata", "referrers", "manifests", "tags", "blobs"]
ImportResponse = Literal["signed-location", "null-body", "done"]


@dataclass
class Tenant:
    """An Entra tenant."""

    tenant_id: str
    domain: str


@dataclass
class Principal:
    """An identity that can sign in. *client_id* is the application's id (a user signs in with *name*);
    role assignments use *object_id*."""

    name: str
    client_id: str
    object_id: str
    tenant_id: str
    kind: PrincipalKind = "servicePrincipal"
    secrets: list[str] = field(default_factory=list)
    certificate_thumbprints: list[str] = field(default_factory=list)
    federated_subjects: list[str] = field(default_factory=list)
    enabled: bool = True


@dataclass
class RoleAssignment:
    """*role* is a built-in role's name (`AcrPull`, `Owner`, `Container Registry Repository Writer`, …);
    *repositories* restricts an ABAC role to names or `prefix*` patterns (empty: all)."""

    object_id: str
    role: str
    repositories: list[str] = field(default_factory=list)


@dataclass
class ScopeMapToken:
    """A non-Entra repository token. *actions* are `REPOSITORY/content/read` and the like, where
    REPOSITORY may be `prefix/*` or `*` (`samples/artifact/content/write`)."""

    name: str
    passwords: list[str]
    actions: list[str]
    enabled: bool = True


@dataclass(frozen=True)
class Lag:
    """A delay of one *part* of a registry: a change is seen after *seconds*, and not by the first *reads* requests that
    read this part. `metadata` is `/acr/v1` with the lists of tags and repositories."""

    part: Part
    seconds: float = 0
    reads: int = 0


@dataclass
class Registry:
    """One container registry. *login_server* may contain a DNL hash (`name-hash.azurecr.io`). README.md has the table
    of the settings that choose between the service's recorded and possible behaviours."""

    name: str
    login_server: str
    tenant_id: str
    subscription_id: str
    resource_group: str
    location: str = "westeurope"
    sku: str = "Premium"
    admin_user_enabled: bool = False
    admin_passwords: list[str] = field(default_factory=lambda: ["admin-password-1", "admin-password-2"])
    anonymous_pull_enabled: bool = False
    arm_audience_enabled: bool = True
    public_network_access: bool = True
    blocked_client_ip: str | None = None
    role_assignment_mode: RoleMode = "LegacyRegistryPermissions"
    data_endpoint_enabled: bool = False
    export_enabled: bool = True
    referrers_api: bool = True
    no_referrers_status: int = 404
    oci_subject: bool = True
    cached_repositories: list[str] = field(default_factory=list)
    blob_redirect: bool = True
    blob_head_redirect: bool = False
    half_chunk: HalfChunk = "kept"
    empty_lists: EmptyLists = "array"
    import_response: ImportResponse = "signed-location"
    lags: list[Lag] = field(default_factory=list)
    roles: list[RoleAssignment] = field(default_factory=list)
    tokens: list[ScopeMapToken] = field(default_factory=list)

    @property
    def resource_id(self) -> str:
        """The registry's ARM id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.ContainerRegistry/registries/{self.name}"
        )


@dataclass
class Vault:
    """A Key Vault at `NAME.vault.azure.net`. Roles are built-in ones, such as `Key Vault Crypto User`."""

    name: str
    tenant_id: str
    roles: list[RoleAssignment] = field(default_factory=list)
    public_network_access: bool = True
    requests_per_10_seconds: int = 4000


@dataclass
class Subscription:
    """A subscription. *readers* are the object ids that may read it and its resources in ARM."""

    subscription_id: str
    tenant_id: str
    name: str
    readers: list[str] = field(default_factory=list)


@dataclass
class Lifetimes:
    """Lifetimes of credentials and sessions, in seconds (in Azure: 60 min, 3 h, 20 to 30 min)."""

    entra: float = 3600
    acr_refresh: float = 10800
    acr_access: float = 3600
    storage_sas: float = 1200
    upload_session: float = 3600


@dataclass
class Limits:
    """Limits in bytes and counts. *upload_body* is the largest body of one upload request (413 above it)."""

    upload_body: int = 20 * 1024 * 1024
    manifest: int = 4 * 1024 * 1024
    unnamed_blob: int = 4 * 1024 * 1024
    page_size: int = 100
    referrers_page_size: int = 100
    import_manifests: int = 50


@dataclass
class World:
    """The state that all services share. *operation_retry_after* is the `Retry-After`, in seconds, of an unfinished ARM
    operation."""

    tenants: list[Tenant] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    registries: list[Registry] = field(default_factory=list)
    vaults: list[Vault] = field(default_factory=list)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    limits: Limits = field(default_factory=Limits)
    managed_identity: str | None = None
    cloud_shell: str | None = None
    strict_accept: bool = True
    operation_retry_after: int = 1
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def registry(self, host_or_name: str) -> Registry | None:
        """Return the registry with this login server or resource name."""
        wanted = host_or_name.lower()
        return next((r for r in self.registries if wanted in (r.login_server, r.name)), None)

    def vault(self, name: str) -> Vault | None:
        """Return the Key Vault *name*."""
        return next((vault for vault in self.vaults if vault.name == name.lower()), None)

    def principal(self, identifier: str) -> Principal | None:
        """Return the principal with this client id, object id or name."""
        return next((p for p in self.principals if identifier in (p.client_id, p.object_id, p.name)), None)


TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"
SUBSCRIPTION = "33333333-3333-3333-3333-333333333333"
OTHER_SUBSCRIPTION = "44444444-4444-4444-4444-444444444444"


def default_world() -> World:
    """Return two tenants; a pusher, a reader, principals without rights, an identity; four registries, a Key Vault."""
    pusher = _service_principal("pusher", "a", TENANT)
    reader = _service_principal("reader", "b", TENANT)
    nobody = _service_principal("nobody", "c", TENANT)
    other = _service_principal("other", "d", OTHER_TENANT)
    identity = Principal("identity", _guid("e"), _guid("e", 2), TENANT, "managedIdentity")
    user = Principal("user@contoso.example", _guid("f"), _guid("f", 2), TENANT, "user", secrets=["user-password"])
    everyone = [pusher, reader, nobody, identity, user]
    legacy = [
        RoleAssignment(pusher.object_id, "Owner"),
        RoleAssignment(user.object_id, "Owner"),
        RoleAssignment(identity.object_id, "AcrPush"),
        RoleAssignment(reader.object_id, "AcrPull"),
    ]
    abac = [
        RoleAssignment(pusher.object_id, "Container Registry Repository Contributor"),
        RoleAssignment(reader.object_id, "Container Registry Repository Reader", ["samples/*"]),
        RoleAssignment(user.object_id, "Owner"),
    ]
    tokens = [
        ScopeMapToken("ci-token", ["ci-token-password"], ["samples/*/content/read", "samples/*/content/write"]),
        ScopeMapToken("read-token", ["read-token-password"], ["samples/*/content/read"]),
    ]
    return World(
        tenants=[Tenant(TENANT, "contoso.example"), Tenant(OTHER_TENANT, "fabrikam.example")],
        principals=[*everyone, other],
        subscriptions=[
            Subscription(SUBSCRIPTION, TENANT, "Local Azure", [p.object_id for p in everyone]),
            Subscription(OTHER_SUBSCRIPTION, OTHER_TENANT, "Other Azure", [other.object_id]),
        ],
        registries=[
            Registry("myregistry", "myregistry.azurecr.io", TENANT, SUBSCRIPTION, "local", roles=legacy, tokens=tokens),
            Registry("targetregistry", "targetregistry.azurecr.io", TENANT, SUBSCRIPTION, "local", roles=list(legacy)),
            Registry(
                "abacregistry",
                "abacregistry-d7fqc4e3.azurecr.io",
                TENANT,
                SUBSCRIPTION,
                "local",
                role_assignment_mode="AbacRepositoryPermissions",
                roles=abac,
            ),
            Registry(
                "otherregistry",
                "otherregistry.azurecr.io",
                OTHER_TENANT,
                OTHER_SUBSCRIPTION,
                "other",
                roles=[RoleAssignment(other.object_id, "Owner")],
            ),
        ],
        vaults=[
            Vault(
                "myvault",
                TENANT,
                [
                    RoleAssignment(pusher.object_id, "Key Vault Certificate User"),
                    RoleAssignment(pusher.object_id, "Key Vault Crypto User"),
                    RoleAssignment(user.object_id, "Key Vault Administrator"),
                ],
            )
        ],
        managed_identity=identity.client_id,
        cloud_shell=user.client_id,
    )


def _service_principal(name: str, digit: str, tenant_id: str) -> Principal:
    return Principal(name, _guid(digit), _guid(digit, 2), tenant_id, secrets=[f"{name}-secret"])


def _guid(digit: str, last: int = 1) -> str:
    return f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 11}{last}"
