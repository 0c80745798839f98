//! The project's template, as this machine understands it, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use local::template::{Function, Surroundings, System, TEMPLATE, Template};
use shared::iys::Limits;

fn surroundings() -> Surroundings {
    Surroundings { region: "eu-central-1".to_owned(), account: "000000000000".to_owned(), sqs_url: "http://127.0.0.1:4004".to_owned() }
}

fn resolve(text: &str, parameters: &[(&str, &str)]) -> Result<System, String> {
    let parameters: BTreeMap<String, String> = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let template = Template::parse(text).map_err(|error| error.to_string())?;
    template.resolve(&parameters, &surroundings()).map_err(|error| error.to_string())
}

fn function<'a>(system: &'a System, name: &str) -> &'a Function {
    system.functions.iter().find(|function| function.name == name).unwrap()
}

/// The limits towards İYS: environment variable, template parameter, value.
fn iys_limits(limits: &Limits) -> [(&'static str, &'static str, u32); 6] {
    [
        ("IYS_CALLS_PER_SECOND", "IysCallsPerSecond", limits.calls_per_second),
        ("IYS_TOKEN_REQUESTS_PER_HOUR", "IysTokenRequestsPerHour", limits.token_requests_per_hour),
        ("IYS_SINGLE_STATUS_PER_HOUR", "IysSingleStatusPerHour", limits.single_status_per_hour),
        ("IYS_HISTORY_PER_HOUR", "IysHistoryPerHour", limits.history_per_hour),
        ("IYS_QUALITY_FLOOR_PERCENT", "IysQualityFloorPercent", limits.quality_floor_percent),
        ("IYS_QUALITY_MINIMUM_REQUESTS", "IysQualityMinimumRequests", limits.quality_minimum_requests),
    ]
}

#[test]
fn every_function_reads_the_same_limits_towards_iys_which_are_those_of_the_code_unless_a_parameter_says_otherwise() {
    let changed = Limits {
        calls_per_second: 3,
        token_requests_per_hour: 4,
        single_status_per_hour: 5,
        history_per_hour: 6,
        quality_floor_percent: 90,
        quality_minimum_requests: 500,
    };
    let parameters = iys_limits(&changed).map(|(_, parameter, value)| (parameter, value.to_string()));
    let parameters: Vec<_> = parameters.iter().map(|(parameter, value)| (*parameter, value.as_str())).collect();
    for (parameters, limits) in [(Vec::new(), Limits::default()), (parameters, changed)] {
        for function in resolve(TEMPLATE, &parameters).unwrap().functions {
            for (variable, _, value) in iys_limits(&limits) {
                assert_eq!(function.environment[variable], value.to_string(), "{} {variable}", function.name);
            }
        }
    }
}

#[test]
fn no_parameter_lets_a_limit_reach_that_of_iys() {
    // The simulator's defaults are İYS's published limits. (Those of token requests contradict each
    // other; the default keeps to the narrower one.)
    let iys = sandbox::iys::Config::default();
    for (parameter, limit) in [
        ("IysCallsPerSecond", iys.calls_per_second),
        ("IysTokenRequestsPerHour", 100),
        ("IysSingleStatusPerHour", iys.status_limit_per_hour),
        ("IysHistoryPerHour", iys.history_limit_per_hour),
        ("IysQualityMinimumRequests", 20_000),
    ] {
        let error = resolve(TEMPLATE, &[(parameter, &limit.to_string())]).unwrap_err();
        assert!(error.contains(parameter), "{error}");
    }
    assert!((Limits::default().token_requests_per_hour as usize) < iys.token_limit_per_hour);
    let error = resolve(TEMPLATE, &[("IysQualityFloorPercent", "70")]).unwrap_err();
    assert!(error.contains("IysQualityFloorPercent"), "{error}");
}

#[test]
fn the_template_names_every_function_with_what_it_uses() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    let limits = iys_limits(&Limits::default()).map(|(variable, ..)| variable);
    let everywhere = [&["BRANDS_PATH", "RUST_LOG", "TABLE_NAME", "WORK_GRACE_SECONDS"][..], &limits].concat();
    let queues = ["IYS_PUSH_QUEUE_URL", "UNSUBSCRIBE_RELAY_QUEUE_URL"];
    let insider = ["INSIDER_CONTACT_URL", "INSIDER_UNIFICATION_URL"];
    for (name, uses) in [
        ("webhook-ingest", [&queues[..], &["INSIDER_EXPORT_URL"]].concat()),
        ("consent-api", queues.to_vec()),
        ("iys-push", [&queues[..], &["IYS_BASE_URL", "IYS_BULK_RESULT_WAIT_SECONDS"]].concat()),
        ("unsubscribe-relay", insider.to_vec()),
        (
            "reconcile",
            [
                &queues[..],
                &insider,
                &[
                    "IYS_PUSH_DEAD_LETTER_QUEUE_URL",
                    "UNSUBSCRIBE_RELAY_DEAD_LETTER_QUEUE_URL",
                    "INSIDER_EXPORT_URL",
                    "EGRESS_CHECK_URL",
                    "EVIDENCE_BUCKET",
                    "IYS_BASE_URL",
                    "IYS_VERIFY_PERCENT",
                    "IYS_VERIFY_REST_SECONDS",
                    "STANDING_PAUSE_SECONDS",
                    "API_URL",
                    "METRICS_NAMESPACE",
                ],
            ]
            .concat(),
        ),
    ] {
        let expected: BTreeSet<&str> = everywhere.iter().copied().chain(uses).collect();
        let given = function(&system, name).environment.keys().map(String::as_str);
        assert_eq!(given.collect::<BTreeSet<_>>(), expected, "{name}");
    }
    assert_eq!(system.functions.len(), 5);
    let push = &function(&system, "iys-push").environment;
    assert_eq!(push["TABLE_NAME"], "LedgerTable");
    assert_eq!(push["IYS_PUSH_QUEUE_URL"], "http://127.0.0.1:4004/000000000000/IysPushQueue");
    assert_eq!(push["IYS_BULK_RESULT_WAIT_SECONDS"], "300");
    // By its own name where it has one, else by the one that API Gateway gives it.
    let api = |system: &System| function(system, "reconcile").environment["API_URL"].clone();
    assert!(api(&system).starts_with("https://HttpApi.execute-api."), "{}", api(&system));
    assert_eq!(api(&resolve(TEMPLATE, &[("ApiUrl", "http://127.0.0.1:4000")]).unwrap()), "http://127.0.0.1:4000");
    let relay = &function(&system, "consent-api").environment["UNSUBSCRIBE_RELAY_QUEUE_URL"];
    assert!(relay.ends_with("/UnsubscribeRelayQueue.fifo"), "{relay}");
}

#[test]
fn the_template_has_exactly_the_routes_that_are_promised() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    let routes: BTreeSet<String> =
        system.routes.iter().map(|route| format!("{} {} {}", route.method, route.path, route.function)).collect();
    assert_eq!(
        routes,
        BTreeSet::from(
            [
                "GET /health consent-api",
                "GET /v1/{brand}/status consent-api",
                "POST /v1/{brand}/consents consent-api",
                "POST /v1/{brand}/consents/check consent-api",
                "POST /v1/{brand}/consents/lookup consent-api",
                "POST /v1/{brand}/insider/events webhook-ingest",
                "POST /v1/{brand}/insider/export webhook-ingest",
                "POST /v1/{brand}/integrator/events webhook-ingest",
                "POST /v1/{brand}/iys/push webhook-ingest",
            ]
            .map(str::to_owned)
        )
    );
}

#[test]
fn every_consumer_reports_failures_and_has_time_enough_before_messages_come_again() {
    // With the longest window that the template allows.
    let system = resolve(TEMPLATE, &[("PushBatchWindowSeconds", "30")]).unwrap();
    assert_eq!(system.mappings.len(), 2);
    for mapping in &system.mappings {
        assert!(mapping.reports_failures, "{}", mapping.queue);
        let queue = system.queues.iter().find(|queue| queue.name == mapping.queue).unwrap();
        let function = function(&system, &mapping.function);
        // AWS Lambda, "Using Lambda with Amazon SQS": six times the timeout, plus the window.
        let least = function.timeout * 6 + mapping.window;
        assert!(Duration::from_secs(queue.visibility_timeout.into()) >= least, "{}", queue.name);
        assert!(queue.attributes.contains_key("RedrivePolicy"), "{}", queue.name);
    }
}

#[test]
fn every_dead_letter_queue_exists_keeps_messages_longest_and_has_an_alarm() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    let dead_letter = |queue: &&local::template::Queue| queue.logical_id.ends_with("DeadLetterQueue");
    assert_eq!(system.queues.iter().filter(dead_letter).count(), 2);
    for queue in system.queues.iter().filter(dead_letter) {
        assert_eq!(queue.attributes["MessageRetentionPeriod"], "1209600");
        let alarm = format!("AWS::CloudWatch::Alarm {}Alarm", queue.logical_id.replace("Queue", ""));
        assert!(system.without_local_meaning.contains(&alarm), "{alarm}");
        let sources =
            system.queues.iter().filter(|source| source.attributes.get("RedrivePolicy").is_some_and(|policy| policy.contains(&queue.arn)));
        assert_eq!(sources.count(), 1, "{}", queue.name);
    }
}

#[test]
fn the_schedules_carry_their_jobs() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    let jobs: BTreeSet<(&str, u64, &str)> =
        system.schedules.iter().map(|schedule| (schedule.function.as_str(), schedule.every.as_secs(), schedule.input.as_str())).collect();
    let expected = [
        ("reconcile", 300, r#"{"job":"pull"}"#),
        ("reconcile", 60, r#"{"job":"sweep"}"#),
        ("reconcile", 300, r#"{"job":"clock"}"#),
        ("reconcile", 900, r#"{"job":"standing"}"#),
        ("reconcile", 3600, r#"{"job":"push_service"}"#),
        ("reconcile", 900, r#"{"job":"insider_export"}"#),
        ("reconcile", 3600, r#"{"job":"verify"}"#),
        ("reconcile", 21_600, r#"{"job":"evidence"}"#),
        ("reconcile", 3600, r#"{"job":"daily_file"}"#),
        ("reconcile", 3600, r#"{"job":"report"}"#),
    ];
    assert_eq!(jobs, BTreeSet::from(expected));
}

#[test]
fn the_ledger_has_its_indexes_and_time_to_live() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    let [table] = system.tables.as_slice() else { panic!("one table") };
    assert_eq!(table.name, "LedgerTable");
    assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at"));
    let index = &table.definition["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexName"], "work");
    assert_eq!(index["Projection"]["ProjectionType"], "INCLUDE");
    for (position, name) in [(1, "deadline"), (2, "check"), (3, "day")] {
        let index = &table.definition["GlobalSecondaryIndexes"][position];
        assert_eq!((&index["IndexName"], &index["Projection"]["ProjectionType"]), (&name.into(), &"KEYS_ONLY".into()));
    }
}

#[test]
fn the_clock_and_its_absence_have_alarms() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    for alarm in ["DeadlineWarningAlarm", "DeadlineAlarm", "ReconcileStoppedAlarm"] {
        assert!(system.without_local_meaning.contains(&format!("AWS::CloudWatch::Alarm {alarm}")), "{alarm}");
    }
}

#[test]
fn days_whose_files_need_a_person_have_alarms() {
    let system = resolve(TEMPLATE, &[]).unwrap();
    for alarm in ["DayFileAlarm", "DayFileDifferencesAlarm"] {
        assert!(system.without_local_meaning.contains(&format!("AWS::CloudWatch::Alarm {alarm}")), "{alarm}");
    }
}

#[test]
fn optional_parts_of_the_template_resolve_too() {
    let parameters = [
        ("BrandsKeyArn", "arn:aws:kms:eu-central-1:000000000000:key/x"),
        ("AlarmTopicArn", "arn:aws:sns:eu-central-1:000000000000:x"),
        ("Architecture", "x86_64"),
        ("EncryptionKey", "aws"),
        ("Egress", "nat"),
        ("Tracing", "Active"),
        ("Dashboard", "no"),
    ];
    assert!(resolve(TEMPLATE, &parameters).is_ok());
}

#[test]
fn functions_keep_room_of_their_own_only_where_that_is_asked_for_and_as_much_as_their_queue_uses() {
    let reserved = |parameters: &[(&str, &str)]| -> Vec<Option<u32>> {
        resolve(TEMPLATE, parameters).unwrap().functions.iter().map(|function| function.reserved_concurrency).collect()
    };
    assert!(reserved(&[]).iter().all(Option::is_none));
    assert_eq!(reserved(&[("ReservedConcurrency", "yes")]).into_iter().map(Option::unwrap).sum::<u32>(), 72);
    let system = resolve(TEMPLATE, &[("ReservedConcurrency", "yes")]).unwrap();
    for mapping in system.mappings.iter().filter(|mapping| mapping.max_concurrency.is_some()) {
        assert!(function(&system, &mapping.function).reserved_concurrency >= mapping.max_concurrency, "{}", mapping.function);
    }
}

#[test]
fn a_fixed_address_makes_a_network_and_none_makes_none() {
    let networks = |egress: &str| {
        let system = resolve(TEMPLATE, &[("Egress", egress)]).unwrap();
        system.without_local_meaning.iter().filter(|resource| resource.starts_with("AWS::EC2::")).count()
    };
    assert_eq!((networks("none"), networks("vpc")), (0, 0));
    assert!(networks("nat") > 10);
    assert!(resolve(TEMPLATE, &[("Egress", "proxy")]).is_err());
}

#[test]
fn what_is_not_understood_is_named() {
    let function = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: f\n";
    let queue = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n";
    let event = |event: &str| format!("{function}      Events:\n        E:\n          {event}\n");
    for (template, names) in [
        ("Resources:\n  T:\n    Type: AWS::Kinesis::Stream\n".to_owned(), ["T", "AWS::Kinesis::Stream"]),
        (format!("{queue}      Visibility: 3\n"), ["Q", "Visibility"]),
        (format!("{queue}      VisibilityTimeout: soon\n"), ["Q", "VisibilityTimeout"]),
        (format!("{queue}      DelaySeconds: !Ref Nothing\n"), ["Q.DelaySeconds", "Nothing"]),
        (format!("{function}      MemorySizee: 3\n"), ["F", "MemorySizee"]),
        (event("{Type: S3, Properties: {}}"), ["F.Events.E", "S3"]),
        (event("{Type: SQS, Properties: {Queue: 'arn:x:y'}}"), ["F.Events.E", "Queue"]),
        (event("{Type: ScheduleV2, Properties: {ScheduleExpression: 'cron(0 3 * * ? *)'}}"), ["F.Events.E", "cron"]),
        (event("{Type: HttpApi, Properties: {Method: GET, Path: /x, Auth: {}}}"), ["F.Events.E", "Auth"]),
        ("Globals:\n  Api: {}\n".to_owned(), ["Globals.Api", "not understood"]),
        ("Parameters:\n  P: {Type: String, Default: a, Defualt: b}\n".to_owned(), ["P", "Defualt"]),
        ("Rules: {}\n".to_owned(), ["Rules", "not understood"]),
        ("Parameters:\n  P: {Type: CommaDelimitedList, Default: a}\n".to_owned(), ["P", "CommaDelimitedList"]),
    ] {
        let error = resolve(&template, &[]).unwrap_err();
        assert!(names.iter().all(|name| error.contains(name)), "{names:?}: {error}");
    }
}

#[test]
fn a_parameter_that_does_not_fit_is_refused() {
    for (name, value) in
        [("NoSuchParameter", "x"), ("PushBatchWindowSeconds", "0"), ("PushBatchWindowSeconds", "soon"), ("Architecture", "mips")]
    {
        let error = resolve(TEMPLATE, &[(name, value)]).unwrap_err();
        assert!(error.contains(name), "{error}");
    }
}
