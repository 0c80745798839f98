//! The ledger's table, as the template describes it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
};

/// Creates it under a name.
pub(crate) async fn create(client: &Client, table: &str) {
    let attribute = |name: &str| {
        let kind = if name == "check_at" { ScalarAttributeType::N } else { ScalarAttributeType::S };
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let keys = ProjectionType::KeysOnly;
    let shown = ["work_iys", "work_insider", "work_deadline", "work_iys_held", "work_insider_held"].map(str::to_owned).to_vec();
    let with_work = Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(shown)).build();
    let with_keys = Projection::builder().projection_type(keys).build();
    let indexes = [
        index("work", "work_pk", "work_due", with_work),
        index("deadline", "work_pk", "work_deadline", with_keys.clone()),
        index("check", "check_pk", "check_at", with_keys.clone()),
        index("day", "day_pk", "digest", with_keys),
    ];
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(
            ["PK", "SK", "work_pk", "work_due", "work_deadline", "check_pk", "check_at", "day_pk", "digest"].map(attribute).to_vec(),
        ))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .set_global_secondary_indexes(Some(indexes.to_vec()))
        .send()
        .await
        .unwrap();
}

fn index(name: &str, partition: &str, sort: &str, projection: Projection) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(partition, KeyType::Hash))
        .key_schema(key(sort, KeyType::Range))
        .projection(projection)
        .build()
        .unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}
