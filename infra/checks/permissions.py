"""What each function may do is exactly what its code calls, in both directions.

What is linked into a function's program is what it can call: the linker leaves out what nothing reaches. So the
symbols of an unoptimised program tell which operations of the AWS clients and which methods of the ledger are
reachable; the ledger's sources tell which operation, which partitions and which index each method uses.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

#: Where the items of a module of the ledger stand: the beginning of their partition keys.
PARTITIONS = {
    "budget": "A#",
    "check": "C#",
    "cursor": "B#",
    "day": "C#",
    "day_file": "B#",
    "day_movements": "C#",
    "evidence": "B#",
    "insider_export": "B#",
    "push_keys": "B#",
    "quality": "A#",
    "report": "B#",
    "standing": "B#",
    "store": "C#",
    "submission": "R#",
    "token": "T#",
    "unknown": "B#",
    "verification": "B#",
}
#: Methods whose items stand elsewhere than those of their module.
ELSEWHERE = {
    ("token", "reserve_token_request"): "A#",
    ("token", "stop_token_requests"): "A#",
    ("token", "token_requests"): "A#",
}
#: Modules of helpers, which are told the key: their callers count.
HELPERS = {"batch", "control", "document", "pages"}
#: What calling a helper amounts to.
HELPER_CALLS = {
    "control_item": {"GetItem"},
    "document": {"GetItem"},
    "change_document": {"GetItem", "PutItem"},
    "items_by_key": {"BatchGetItem"},
    "query_work": {"Query"},
}
OPERATION = re.compile(
    r"\.(get_item|put_item|update_item|delete_item|batch_get_item|batch_write_item|query|scan"
    r"|transact_get_items|transact_write_items|execute_statement)\(\)"
)
METHOD = re.compile(r"^    (?:pub(?:\([a-z]+\))? )?(async )?fn (\w+)(.*?)^    }$", re.MULTILINE | re.DOTALL)
#: Linked in with the AWS configuration, for machines that get their credentials so. Lambda's functions do not.
CREDENTIALS = {"sso", "ssooidc", "sts"}
#: Operations of other services, as permissions.
OTHER_OPERATIONS = {
    ("sqs", "change_message_visibility"): "sqs:ChangeMessageVisibility",
    ("sqs", "delete_message"): "sqs:DeleteMessage",
    ("sqs", "receive_message"): "sqs:ReceiveMessage",
    ("sqs", "send_message"): "sqs:SendMessage",
    ("sqs", "send_message_batch"): "sqs:SendMessage",
    ("ssm", "get_parameters_by_path"): "ssm:GetParametersByPath",
}
#: What S3 is called by without an SDK.
BUCKET_METHODS = {"get": "s3:GetObject", "put": "s3:PutObject"}
#: What Lambda does with the function's role, by what the template makes it do.
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
CONSUME = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
TRACE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}


@dataclass
class Method:
    """A method of the ledger that calls the table: what it needs of it."""

    module: str
    name: str
    grants: set[str] = field(default_factory=set)


def permission_name(operation: str) -> str:
    """`get_item` as `GetItem`."""
    return "".join(part.capitalize() for part in operation.split("_"))


def operations(body: str) -> set[str]:
    """The operations on the table that a function's text names."""
    return {permission_name(call) for call in OPERATION.findall(body)}


def ledger_methods(folder: Path) -> tuple[list[Method], list[str]]:
    """The methods that call the table, read from the ledger's sources; and what could not be read."""
    sources = {path.stem: path.read_text(encoding="utf-8").split("#[cfg(test)]")[0] for path in sorted(folder.glob("*.rs"))}
    indexes = dict(found for name, text in sources.items() for found in [(name, re.search(r'const INDEX: &str = "(\w+)"', text))] if found[1])
    for name, text in sources.items():
        # One module's index, used by another.
        if borrowed := re.search(r"use super::(\w+)::(?:\{[^}]*\bINDEX\b[^}]*\}|INDEX);", text):
            indexes.setdefault(name, indexes.get(borrowed[1]))
    methods, problems, outside = [], [], 0
    for module, text in sources.items():
        if module in HELPERS:
            continue
        functions = METHOD.findall(text)
        outside += len(OPERATION.findall(text)) - sum(len(OPERATION.findall(body)) for *_, body in functions)
        # A request that one function begins and others send.
        helpers = HELPER_CALLS | {name: operations(body) for is_async, name, body in functions if not is_async and operations(body)}
        for is_async, name, body in functions:
            actions = operations(body)
            for helper, does in helpers.items():
                if re.search(rf"\bself\s*\.{helper}(?:::<[^(]*>)?\(", body):
                    actions |= does
            if not actions or not is_async:
                continue
            method = Method(module, name)
            index = re.search(r"\.(?:index_name|query_work)\(([^),]+)[),]", body)
            if index:
                path = index[1].strip().split("::")
                found = indexes.get(path[-2] if len(path) > 1 else module)
                if path[-1] != "INDEX" or not found or actions != {"Query"}:
                    problems.append(f"ledger::{module}::{name}: its index cannot be read")
                    continue
                method.grants = {f"dynamodb:Query index/{found[1]}"}
            else:
                prefix = ELSEWHERE.get((module, name), PARTITIONS.get(module))
                if prefix is None:
                    problems.append(f"ledger::{module}::{name}: where do its items stand? Say it in PARTITIONS")
                    continue
                method.grants = {f"dynamodb:{action} {prefix}" for action in actions}
            methods.append(method)
    if outside:
        problems.append(f"{outside} calls of the table stand outside of the ledger's methods")
    return methods, problems


def symbols(program: Path) -> set[str]:
    """The program's symbols, as the compiler writes them."""
    return {found.decode() for found in re.findall(rb"_ZN[A-Za-z0-9_.$]+", program.read_bytes())}


def called(program: Path, methods: list[Method]) -> tuple[set[str], list[str]]:
    """Everything that a program can call, and what of it is not understood."""
    reached, linked, bucket = set(), set(), set()
    for symbol in symbols(program):
        if found := re.match(r"_ZN6shared6ledger\d+([a-z_]+?)\d+_\$LT\$impl\$u20\$shared\.\.ledger\.\.Ledger\$GT\$\d+([a-z_0-9]+?)\d+_\$u7b", symbol):
            reached.add((found[1], found[2]))
        elif found := re.match(r"_ZN6shared7archive2s36Bucket\d(get|put)\d+_\$u7b", symbol):
            bucket.add(found[1])
        if found := re.search(r"aws_sdk_([a-z0-9]+?)\d+operation\d+([a-z_]+?)\d", symbol):
            linked.add((found[1], found[2]))
    problems = []
    if not linked or not reached:
        problems.append(f"{program.name}: no symbols that tell anything; is it an unoptimised, unstripped build?")
    grants = {grant for method in methods if (method.module, method.name) in reached for grant in method.grants}
    table = {f"dynamodb:{permission_name(name)}" for service, name in linked if service == "dynamodb"}
    for action in sorted(table ^ {grant.split()[0] for grant in grants}):
        problems.append(f"{program.name}: {action} is linked in but no method of the ledger that uses it, or the other way round")
    for operation in sorted(linked):
        if operation[0] not in CREDENTIALS | {"dynamodb"}:
            if operation in OTHER_OPERATIONS:
                grants.add(OTHER_OPERATIONS[operation])
            else:
                problems.append(f"{program.name}: {operation[0]} {operation[1]}: which permission is that? Say it in OTHER_OPERATIONS")
    return grants | {BUCKET_METHODS[method] for method in bucket}, problems


def as_list(value: object) -> list:
    """What may stand alone or in a list."""
    return value if isinstance(value, list) else [value]


def logical_ids(value: object) -> set[str]:
    """Resources that an expression names."""
    if isinstance(value, dict):
        if "Fn::GetAtt" in value:
            path = value["Fn::GetAtt"]
            return {path[0] if isinstance(path, list) else path.split(".")[0]}
        if "Fn::Sub" in value:
            return {name.split(".")[0] for name in re.findall(r"\$\{([A-Za-z.]+)\}", str(value["Fn::Sub"]))}
        if "Ref" in value:
            return {value["Ref"]}
    return set()


def allowed(role: dict) -> tuple[set[str], dict[str, set[str]], list[str]]:
    """A role's permissions: those on the table by partitions and index, the others by action with the resources that they name."""
    grants, others, problems = set(), {}, []
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            statement = statement["Fn::If"][1] if "Fn::If" in statement else statement
            prefixes = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    if not action.startswith("dynamodb:"):
                        others.setdefault(action, set()).update(logical_ids(resource))
                    elif index := re.search(r"/index/(\w+)$", str(resource.get("Fn::Sub", ""))):
                        grants.add(f"{action} index/{index[1]}")
                    elif not prefixes:
                        problems.append(f"{statement.get('Sid')}: {action} on the table without dynamodb:LeadingKeys")
                    else:
                        grants |= {f"{action} {prefix.removesuffix('*')}" for prefix in as_list(prefixes)}
    return grants, others, problems


def expected_of_lambda(function: dict, role: str) -> dict[str, set[str]]:
    """What Lambda itself needs of the role, with the resources."""
    events = function.get("Events", {}).values()
    expected = {action: {role.replace("Role", "LogGroup")} for action in LOG} | {action: set() for action in TRACE}
    queues = {name for event in events if event["Type"] == "SQS" for name in logical_ids(event["Properties"]["Queue"])}
    expected |= {action: queues for action in CONSUME if queues}
    expected |= {action: set() for action in NETWORK if "VpcConfig" in function}
    return expected | {"kms:Decrypt": {"BrandsKeyArn"}}


def queues_of(function: dict, resources: dict) -> tuple[set[str], set[str]]:
    """The queues whose addresses the function is told: ordinary ones, and those of dead letters."""
    queues = {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::SQS::Queue"}
    dead = {name for q in queues.values() for name in logical_ids(q.get("RedrivePolicy", {}).get("deadLetterTargetArn"))}
    variables = function.get("Environment", {}).get("Variables", {}).values()
    told = {name for value in variables for name in logical_ids(value)} & queues.keys()
    return told - dead, told & dead


def resources_of(action: str, function: dict, resources: dict) -> set[str]:
    """The resources that a call of the function's own code is for."""
    living, dead = queues_of(function, resources)
    if action == "sqs:SendMessage":
        return living
    if action.startswith("sqs:"):
        return dead
    return {"BrandsPath"} if action.startswith("ssm:") else {"EvidenceBucket"}


def errors(template: dict, root: Path, programs: Path) -> list[str]:
    """Permissions that nothing calls for, and calls that nothing permits."""
    methods, found = ledger_methods(root / "shared" / "src" / "ledger")
    resources = template["Resources"]
    functions = {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    if not functions or len(methods) < 20:
        found.append("hardly any function or method was found: this check no longer reads the template or the ledger")
    for function in functions.values():
        name = function["CodeUri"].rsplit("/", 1)[-1]
        role = function["Role"]["Fn::GetAtt"]
        role = role[0] if isinstance(role, list) else role.split(".")[0]
        program = programs / name
        if not program.exists():
            found.append(f"{program} is not there: cargo build --workspace --bins")
            continue
        calls, problems = called(program, methods)
        grants, others, policy_problems = allowed(resources[role]["Properties"])
        found += problems + [f"{role}: {problem}" for problem in policy_problems]
        table_calls = {call for call in calls if call.startswith("dynamodb:")}
        found += [f"{role} does not allow {call}, which {name} calls" for call in sorted(table_calls - grants)]
        found += [f"{role} allows {grant}, which {name} never calls" for grant in sorted(grants - table_calls)]
        expected = expected_of_lambda(function, role)
        for call in calls - table_calls:
            expected[call] = expected.get(call, set()) | resources_of(call, function, resources)
        for action in sorted(expected.keys() | others.keys()):
            if action not in others:
                found.append(f"{role} does not allow {action}, which {name} or Lambda for it calls")
            elif action not in expected:
                found.append(f"{role} allows {action}, which {name} never calls")
            elif {n for n in others[action] if n != "AWS"} != {n for n in expected[action] if n != "AWS"}:
                found.append(f"{role}: {action} is for {sorted(expected[action])}, not {sorted(others[action])}")
    return found
