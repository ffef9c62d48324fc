"""Who called: from the role of a session, an AWS service, or a person. The tables are data; names are stable.

A role is an agent under its own name, its sessions are instances. Service-linked roles are the service; controllers of Kubernetes are known
by the names of their roles and user agents, whichever account they run in. Whoever has a user, or came through the console or single
sign-on, is a person: `user/<name>`; so is a session, or its source identity, that has the form of an address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from streams.settings import AgentName
from streams.sources.cloudtrail.record import Identity, Record


class Agent(msgspec.Struct, frozen=True):
    """`name` is the controller, `instance` its session."""

    name: str
    instance: str


PEOPLE = frozenset({"IAMUser", "Root", "FederatedUser", "SAMLUser", "WebIdentityUser", "IdentityCenterUser"})  # types of identities
MOST_KNOWN = 4096  # callers remembered
LINKED = "AWSServiceRoleFor"
SINGLE_SIGN_ON = "AWSReservedSSO_"
# what follows AWSServiceRoleFor, up to an underscore -> the service; others are told as they are called
SERVICES = {
    "ApplicationAutoScaling": "application-autoscaling",
    "AutoScaling": "autoscaling",
    "ECS": "ecs",
    "AmazonEKS": "eks",
    "AmazonEKSNodegroup": "eks-nodegroup",
    "EC2Spot": "ec2-spot",
    "EC2SpotFleet": "ec2-spot-fleet",
    "EC2Fleet": "ec2-fleet",
    "ElasticLoadBalancing": "elasticloadbalancing",
    "RDS": "rds",
    "ElastiCache": "elasticache",
    "Backup": "backup",
    "AmazonSSM": "ssm",
}
# in a role's name or a user agent -> the controller
CONTROLLERS = (
    (re.compile(r"karpenter", re.I), "karpenter"),
    (re.compile(r"cluster[-_]?autoscaler", re.I), "cluster-autoscaler"),
    (re.compile(r"external[-_]?dns", re.I), "external-dns"),
    (re.compile(r"load[-_]?balancer[-_]?controller|elbv2\.k8s\.aws", re.I), "aws-load-balancer-controller"),
    (re.compile(r"\bkeda\b", re.I), "keda"),
)
_PERSON = re.compile(r"[^@\s/]+@[^@\s/]+\.[A-Za-z]{2,}")  # how providers of single sign-on name sessions
_NODE = re.compile(r"node|instance", re.I)  # a role of machines, whoever of their programs calls
TOOLS = ("Terraform", "Pulumi", "aws-cdk", "aws-cli", "Boto3", "cloudformation", "console", "signin", "AWS Internal")


class Agents:
    """The tables, and above them the names of the operator's own (`[[agent]]`)."""

    def __init__(self, named: Sequence[AgentName] = ()) -> None:
        self._named = named
        self._known: dict[tuple[Identity, str, bool], Agent] = {}

    def agent_of(self, record: Record) -> Agent:
        """The controller behind a call, and its instance."""
        console = record.session_credential_from_console in (True, "true")
        key = (record.user_identity, record.user_agent or "", console)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = self._looked_up(*key)
        return found

    def _looked_up(self, who: Identity, user_agent: str, console: bool) -> Agent:
        session = (who.arn or who.principal_id or "").rpartition("/")[2].rpartition(":")[2]
        issuer = who.session_context.session_issuer if who.session_context else None
        role = (issuer.user_name or (issuer.arn or "").rpartition("/")[2]) if issuer else ""
        role = "" if who.type in PEOPLE else role or _role(who.arn or "")
        name = self._operators(who, role, user_agent) or _name(who, role, session, user_agent, console)
        tool = next((tool for tool in TOOLS if tool in user_agent), "")
        parts = (who.account_id or who.type, name, session if session != name.rpartition("/")[2] else "", tool.replace(" ", "-"))
        return Agent(name[:256], "/".join(part for part in parts if part)[:400])

    def _operators(self, who: Identity, role: str, user_agent: str) -> str:
        names = (who.arn or "", role, who.user_name or "")
        for each in self._named:
            if any(fnmatchcase(name, each.user) for name in names) and fnmatchcase(user_agent, each.user_agent):
                return each.name
        return ""


def _name(who: Identity, role: str, session: str, user_agent: str, console: bool) -> str:
    if role.startswith(LINKED):
        service = role.removeprefix(LINKED).partition("_")[0]
        return SERVICES.get(service) or service.lower() or "aws"
    if who.type == "AWSService" or (not role and who.invoked_by and who.type in ("", "Unknown")):
        return (who.invoked_by or "aws").removesuffix(".amazonaws.com").rpartition(".")[2]
    known = _controller(user_agent) or ("" if session.startswith("i-") and _NODE.search(role) else _controller(role))
    if known:
        return known
    source = (who.session_context.source_identity or "") if who.session_context else ""
    person = next((name for name in (session, source) if _PERSON.fullmatch(name)), "")
    if person and who.type not in PEOPLE:
        return f"user/{person}"
    if role and not (console or role.startswith(SINGLE_SIGN_ON)):
        return role
    if who.type == "Root":
        return "user/root"
    if who.type == "AWSAccount":
        return f"account/{who.account_id or 'unknown'}"
    person = who.user_name or session or (who.on_behalf_of.user_id if who.on_behalf_of else "") or "unknown"
    return f"user/{person}"


def _controller(text: str) -> str:
    return next((name for pattern, name in CONTROLLERS if pattern.search(text)), "")


def _role(arn: str) -> str:
    """The role of a session's name, where the context is left out: arn:aws:sts::1:assumed-role/ROLE/SESSION."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else ""
