//! What a template asks to run: tables, queues, functions and what calls them.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{Surroundings, TemplateError, intrinsics::Resolver, not_understood, object, properties::Properties};

/// API Gateway's own bound on an integration, HTTP API quotas: 30 seconds.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// SQS's default visibility timeout.
const DEFAULT_VISIBILITY_TIMEOUT: u32 = 30;

/// Types of resources that nothing here stands for: watching, keys, networks.
const IN_THE_CLOUD_ONLY: [&str; 21] = [
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    // What would stand in a bucket stands in a folder, see `stack`.
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
];

/// Everything that this machine runs.
#[derive(Clone, Debug)]
pub struct System {
    /// Values of the template's parameters and of pseudo parameters, as texts.
    pub parameters: BTreeMap<String, String>,
    /// Tables, by logical id.
    pub tables: Vec<Table>,
    /// Queues, by logical id.
    pub queues: Vec<Queue>,
    /// Functions, by logical id.
    pub functions: Vec<Function>,
    /// Routes of the HTTP API.
    pub routes: Vec<Route>,
    /// What carries messages from queues to functions.
    pub mappings: Vec<Mapping>,
    /// What calls functions by the clock.
    pub schedules: Vec<Schedule>,
    /// Resources that exist in the cloud only, as `type logical-id`.
    pub without_local_meaning: Vec<String>,
}

/// A DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name here: the logical id.
    pub name: String,
    /// A CreateTable request, as DynamoDB's API takes it.
    pub definition: Value,
    /// Attribute that holds the time to live, in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// An SQS queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name here: the logical id, with `.fifo` for a FIFO queue.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Its ARN.
    pub arn: String,
    /// Seconds that a received message stays invisible.
    pub visibility_timeout: u32,
    /// The other attributes, as CreateQueue takes them.
    pub attributes: BTreeMap<String, String>,
}

/// A Lambda function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name here: the last part of `CodeUri`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Memory in MB; told to the function, not enforced.
    pub memory_mb: u32,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// How many invocations may run at once, where the template says so.
    pub reserved_concurrency: Option<u32>,
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Method in capitals, or `ANY`.
    pub method: String,
    /// Path with parameters in braces, for instance `/v1/{brand}/status`.
    pub path: String,
    /// Name of the function that answers.
    pub function: String,
    /// How long the gateway waits for the function.
    pub timeout: Duration,
}

/// An event source mapping: a queue's messages go to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the function.
    pub function: String,
    /// Name of the queue.
    pub queue: String,
    /// Most messages in one invocation.
    pub batch_size: u32,
    /// How long messages are gathered.
    pub window: Duration,
    /// Whether the function says which messages failed.
    pub reports_failures: bool,
    /// Most invocations at once, where the template says so.
    pub max_concurrency: Option<u32>,
}

/// A schedule of EventBridge Scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The event's name in the template.
    pub name: String,
    /// Name of the function.
    pub function: String,
    /// Time from one run to the next.
    pub every: Duration,
    /// The invocation's payload, JSON.
    pub input: String,
}

/// A resource as written, with its attributes checked.
struct Declared {
    id: String,
    kind: String,
    properties: Map<String, Value>,
}

/// Builds the system that the resources describe.
pub(super) fn build(
    resources: &Map<String, Value>,
    globals: &Map<String, Value>,
    mut resolver: Resolver,
    surroundings: &Surroundings,
) -> Result<System, TemplateError> {
    let declared = declared(resources, &resolver)?;
    name_resources(&declared, &mut resolver, surroundings)?;
    let parameters = resolver.parameters.iter().map(|(name, value)| (name.clone(), super::intrinsics::plain_text(value))).collect();
    let mut system = System {
        parameters,
        tables: Vec::new(),
        queues: Vec::new(),
        functions: Vec::new(),
        routes: Vec::new(),
        mappings: Vec::new(),
        schedules: Vec::new(),
        without_local_meaning: Vec::new(),
    };
    for Declared { id, kind, properties } in declared {
        let properties = Properties::new(&id, properties, &resolver);
        match kind.as_str() {
            "AWS::DynamoDB::Table" => system.tables.push(table(&id, properties)?),
            "AWS::SQS::Queue" => system.queues.push(queue(&id, properties, &resolver)?),
            "AWS::Serverless::HttpApi" => http_api(properties)?,
            "AWS::Serverless::Function" => {
                function(&id, properties, globals, &resolver, &mut system)?;
            }
            kind if IN_THE_CLOUD_ONLY.contains(&kind) => system.without_local_meaning.push(format!("{kind} {id}")),
            _ => return Err(TemplateError::UnknownResourceType { resource: id, kind }),
        }
    }
    Ok(system)
}

fn declared(resources: &Map<String, Value>, resolver: &Resolver) -> Result<Vec<Declared>, TemplateError> {
    let mut all = Vec::new();
    for (id, resource) in resources {
        let at = format!("Resources.{id}");
        let mut resource = object(resource.clone(), &at)?;
        let Some(Value::String(kind)) = resource.remove("Type") else {
            return Err(not_understood(&at, "it has no Type"));
        };
        let properties = object(resource.remove("Properties").unwrap_or(json!({})), &at)?;
        let exists = match resource.remove("Condition") {
            None => true,
            Some(Value::String(name)) => resolver.condition(&name, &at)?,
            Some(_) => return Err(not_understood(&at, "Condition is not a name")),
        };
        for known in ["DeletionPolicy", "DependsOn", "Metadata", "UpdateReplacePolicy"] {
            resource.remove(known);
        }
        if let Some(key) = resource.keys().next() {
            return Err(not_understood(&at, &format!("{key} is not understood")));
        }
        if exists {
            all.push(Declared { id: id.clone(), kind, properties });
        }
    }
    Ok(all)
}

/// Gives every resource the names that expressions may ask for.
fn name_resources(declared: &[Declared], resolver: &mut Resolver, surroundings: &Surroundings) -> Result<(), TemplateError> {
    for Declared { id, kind, properties } in declared {
        let (reference, attributes) = match kind.as_str() {
            "AWS::DynamoDB::Table" => {
                let arn = surroundings.arn("dynamodb", &format!("table/{id}"));
                (id.clone(), vec![("Arn", arn)])
            }
            "AWS::SQS::Queue" => {
                let fifo = properties.get("FifoQueue") == Some(&Value::Bool(true));
                let name = if fifo { format!("{id}.fifo") } else { id.clone() };
                let url = format!("{}/{}/{name}", surroundings.sqs_url, surroundings.account);
                let arn = surroundings.arn("sqs", &name);
                (url, vec![("Arn", arn), ("QueueName", name)])
            }
            "AWS::Serverless::Function" => {
                let name = function_name(id, properties)?;
                let arn = surroundings.arn("lambda", &format!("function:{name}"));
                (name, vec![("Arn", arn)])
            }
            "AWS::Serverless::HttpApi" => (id.clone(), Vec::new()),
            // There are no buckets here. What would stand in one stands in a folder, see `stack`.
            "AWS::S3::Bucket" => (String::new(), vec![("Arn", surroundings.arn("s3", id))]),
            _ => continue,
        };
        resolver.references.insert(id.clone(), reference);
        for (attribute, value) in attributes {
            resolver.attributes.insert((id.clone(), attribute.to_owned()), value);
        }
    }
    Ok(())
}

/// The last part of `CodeUri`: the folder, package and binary are all called so.
fn function_name(id: &str, properties: &Map<String, Value>) -> Result<String, TemplateError> {
    properties
        .get("CodeUri")
        .and_then(Value::as_str)
        .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| TemplateError::InvalidProperty {
            resource: id.to_owned(),
            property: "CodeUri".to_owned(),
            why: "the function's folder is missing".to_owned(),
        })
}

fn table(id: &str, mut properties: Properties<'_>) -> Result<Table, TemplateError> {
    let mut definition = Map::from_iter([("TableName".to_owned(), Value::from(id))]);
    for property in ["AttributeDefinitions", "BillingMode", "KeySchema"] {
        definition.insert(property.to_owned(), properties.required(property)?);
    }
    for property in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(indexes) = properties.optional(property)? {
            definition.insert(property.to_owned(), indexes);
        }
    }
    let ttl_attribute = match properties.optional("TimeToLiveSpecification")? {
        Some(ttl) if ttl.get("Enabled") == Some(&Value::Bool(true)) => {
            let attribute = ttl.get("AttributeName").and_then(Value::as_str);
            let attribute = attribute.ok_or_else(|| properties.invalid("TimeToLiveSpecification", "AttributeName is missing"))?;
            Some(attribute.to_owned())
        }
        _ => None,
    };
    properties.without_local_meaning(&["DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "SSESpecification", "Tags"]);
    properties.finish()?;
    Ok(Table { name: id.to_owned(), definition: definition.into(), ttl_attribute })
}

fn queue(id: &str, mut properties: Properties<'_>, resolver: &Resolver) -> Result<Queue, TemplateError> {
    let visibility_timeout = properties.number("VisibilityTimeout")?.unwrap_or(DEFAULT_VISIBILITY_TIMEOUT);
    let mut attributes = BTreeMap::new();
    for property in [
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
    ] {
        if let Some(value) = properties.optional(property)? {
            // Scalars become texts, RedrivePolicy becomes JSON in a text: what the API wants.
            attributes.insert(property.to_owned(), super::intrinsics::plain_text(&value));
        }
    }
    properties.without_local_meaning(&["KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "SqsManagedSseEnabled", "Tags"]);
    properties.finish()?;
    let name = |attribute: &str| resolver.attributes[&(id.to_owned(), attribute.to_owned())].clone();
    Ok(Queue {
        logical_id: id.to_owned(),
        name: name("QueueName"),
        url: resolver.references[id].clone(),
        arn: name("Arn"),
        visibility_timeout,
        attributes,
    })
}

fn http_api(mut properties: Properties<'_>) -> Result<(), TemplateError> {
    // Throttling bounds what strangers may cost; here nobody is a stranger.
    properties.without_local_meaning(&["AccessLogSettings", "DefaultRouteSettings", "Description", "Tags"]);
    properties.finish()
}

fn function(
    id: &str,
    properties: Properties<'_>,
    globals: &Map<String, Value>,
    resolver: &Resolver,
    system: &mut System,
) -> Result<(), TemplateError> {
    let mut properties = with_globals(id, properties, globals, resolver)?;
    properties.without_local_meaning(&[
        // What the folder is called is all that is needed of it; see `function_name`.
        "CodeUri",
        "FunctionName",
        "Handler",
        "Runtime",
        "Architectures",
        "Description",
        // A schedule here never runs twice at once and never makes up for a late run.
        "EventInvokeConfig",
        "LoggingConfig",
        "Policies",
        "Role",
        "Tags",
        "Tracing",
        "VpcConfig",
    ]);
    let name = resolver.references[id].clone();
    let events = properties.raw_map("Events")?;
    system.functions.push(Function {
        arn: resolver.attributes[&(id.to_owned(), "Arn".to_owned())].clone(),
        timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3).into()),
        memory_mb: properties.number("MemorySize")?.unwrap_or(128),
        reserved_concurrency: properties.number("ReservedConcurrentExecutions")?,
        environment: environment(&mut properties)?,
        name: name.clone(),
    });
    properties.finish()?;
    for (event, declaration) in events {
        let at = format!("{id}.Events.{event}");
        let mut declaration = object(declaration, &at)?;
        let Some(Value::String(kind)) = declaration.remove("Type") else {
            return Err(not_understood(&at, "it has no Type"));
        };
        let inner = object(declaration.remove("Properties").unwrap_or(json!({})), &at)?;
        if let Some(key) = declaration.keys().next() {
            return Err(not_understood(&at, &format!("{key} is not understood")));
        }
        let properties = Properties::new(&at, inner, resolver);
        match kind.as_str() {
            "HttpApi" => system.routes.push(route(&name, properties)?),
            "SQS" => system.mappings.push(mapping(&name, properties, resolver)?),
            "ScheduleV2" => system.schedules.push(schedule(&event, &name, properties)?),
            _ => return Err(TemplateError::UnknownResourceType { resource: at, kind }),
        }
    }
    Ok(())
}

/// The function's properties over those in `Globals.Function`; environments are merged.
fn with_globals<'a>(
    id: &str,
    mut own: Properties<'_>,
    globals: &Map<String, Value>,
    resolver: &'a Resolver,
) -> Result<Properties<'a>, TemplateError> {
    let mut merged = globals.clone();
    let mut environment = match merged.remove("Environment") {
        None => Map::new(),
        Some(value) => object(value, "Globals.Function.Environment")?,
    };
    let variables = |environment: &mut Map<String, Value>| match environment.remove("Variables") {
        None => Ok(Map::new()),
        Some(value) => object(value, &format!("{id}.Environment.Variables")),
    };
    let mut all = variables(&mut environment)?;
    let mut own_environment = own.raw_map("Environment")?;
    all.extend(variables(&mut own_environment)?);
    environment.extend(own_environment);
    environment.insert("Variables".to_owned(), all.into());
    merged.extend(own.into_left());
    merged.insert("Environment".to_owned(), environment.into());
    Ok(Properties::new(id, merged, resolver))
}

fn environment(properties: &mut Properties<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let environment = properties.required("Environment")?;
    let mut variables = BTreeMap::new();
    for (name, value) in environment.as_object().into_iter().flatten() {
        if name != "Variables" {
            return Err(properties.invalid("Environment", format!("{name} is not understood")));
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            variables.insert(name.clone(), super::intrinsics::plain_text(value));
        }
    }
    Ok(variables)
}

fn route(function: &str, mut properties: Properties<'_>) -> Result<Route, TemplateError> {
    properties.without_local_meaning(&["ApiId"]);
    let payload = properties.optional("PayloadFormatVersion")?;
    if payload.is_some_and(|version| version != "2.0") {
        return Err(properties.invalid("PayloadFormatVersion", "only 2.0 is understood"));
    }
    let timeout = match properties.number("TimeoutInMillis")? {
        None => INTEGRATION_TIMEOUT,
        Some(milliseconds) => Duration::from_millis(milliseconds.into()),
    };
    let path = properties.text("Path")?;
    if !path.starts_with('/') || path.contains("+}") {
        return Err(properties.invalid("Path", "only plain paths are understood"));
    }
    let route = Route { method: properties.text("Method")?.to_uppercase(), path, function: function.to_owned(), timeout };
    properties.finish()?;
    Ok(route)
}

fn mapping(function: &str, mut properties: Properties<'_>, resolver: &Resolver) -> Result<Mapping, TemplateError> {
    let arn = properties.text("Queue")?;
    let queue = arn.rsplit(':').next().unwrap_or_default().to_owned();
    let known = resolver.attributes.iter().any(|((_, attribute), value)| attribute == "QueueName" && *value == queue);
    if !known {
        return Err(properties.invalid("Queue", "it is not a queue of this template"));
    }
    let reports_failures = match properties.optional("FunctionResponseTypes")? {
        None => false,
        Some(types) if types == json!(["ReportBatchItemFailures"]) => true,
        Some(_) => {
            let why = "only ReportBatchItemFailures is understood";
            return Err(properties.invalid("FunctionResponseTypes", why));
        }
    };
    let max_concurrency = match properties.optional("ScalingConfig")? {
        None => None,
        Some(scaling) => {
            let most = scaling.get("MaximumConcurrency").and_then(Value::as_u64);
            let most = most.and_then(|most| u32::try_from(most).ok());
            let invalid = || properties.invalid("ScalingConfig", "MaximumConcurrency is missing");
            Some(most.ok_or_else(invalid)?)
        }
    };
    let window = properties.number("MaximumBatchingWindowInSeconds")?.unwrap_or(0);
    let batch_size = properties.number("BatchSize")?.unwrap_or(10);
    let fifo = queue.ends_with(".fifo");
    // AWS Lambda, "Using Lambda with Amazon SQS": the bounds of a batch.
    if batch_size == 0 || batch_size > if fifo { 10 } else { 10_000 } {
        return Err(properties.invalid("BatchSize", "it is out of its bounds"));
    }
    if batch_size > 10 && window == 0 {
        return Err(properties.invalid("BatchSize", "more than 10 need a batching window"));
    }
    if fifo && window > 0 {
        let why = "a FIFO queue has no batching window";
        return Err(properties.invalid("MaximumBatchingWindowInSeconds", why));
    }
    properties.finish()?;
    Ok(Mapping {
        function: function.to_owned(),
        queue,
        batch_size,
        window: Duration::from_secs(window.into()),
        reports_failures,
        max_concurrency,
    })
}

fn schedule(name: &str, function: &str, mut properties: Properties<'_>) -> Result<Schedule, TemplateError> {
    let expression = properties.text("ScheduleExpression")?;
    let every = rate(&expression).ok_or_else(|| {
        let why = format!("{expression} is not understood, only rate(…) is");
        properties.invalid("ScheduleExpression", why)
    })?;
    let input = match properties.optional("Input")? {
        None => "{}".to_owned(),
        Some(Value::String(input)) if serde_json::from_str::<Value>(&input).is_ok() => input,
        Some(_) => return Err(properties.invalid("Input", "this is not JSON in a text")),
    };
    properties.without_local_meaning(&["Description"]);
    properties.finish()?;
    Ok(Schedule { name: name.to_owned(), function: function.to_owned(), every, input })
}

/// The time between two runs of `rate(1 minute)`, `rate(5 minutes)` and so on.
fn rate(expression: &str) -> Option<Duration> {
    let inner = expression.strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inner.split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    let unit = match unit {
        "minute" | "minutes" => Duration::from_secs(60),
        "hour" | "hours" => Duration::from_secs(60 * 60),
        "day" | "days" => Duration::from_secs(24 * 60 * 60),
        _ => return None,
    };
    Some(unit * count)
}
