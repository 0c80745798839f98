//! Embedded SQS: its queues and its HTTP endpoint.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use rustack_sqs_model::{error::SqsError, input::CreateQueueInput};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    shutdown::Shutdown,
    template::{Queue, Surroundings},
};

/// How long to wait after a connection could not be accepted, so that a lasting fault (no file
/// descriptors left) does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Creates the template's queues. `visibility_timeout`, in seconds, takes the place of every longer
/// one in the template.
///
/// # Errors
///
/// If the queue service refuses a queue.
pub(crate) async fn create_queues(
    address: SocketAddr,
    surroundings: &Surroundings,
    queues: &[Queue],
    visibility_timeout: Option<u32>,
) -> Result<Arc<RustackSqs>, SqsError> {
    let service = Arc::new(RustackSqs::new(SqsConfig {
        skip_signature_validation: true,
        default_region: surroundings.region.clone(),
        account_id: surroundings.account.clone(),
        host: address.ip().to_string(),
        port: address.port(),
    }));
    for queue in queues {
        let visibility = effective_visibility(queue, visibility_timeout);
        let mut attributes: HashMap<_, _> = queue.attributes.clone().into_iter().collect();
        attributes.insert("VisibilityTimeout".to_owned(), visibility.to_string());
        service.create_queue(CreateQueueInput { queue_name: queue.name.clone(), attributes, tags: HashMap::new() }).await?;
    }
    Ok(service)
}

/// Seconds for which a message of this queue stays invisible here.
pub(crate) fn effective_visibility(queue: &Queue, most: Option<u32>) -> u32 {
    most.map_or(queue.visibility_timeout, |most| most.min(queue.visibility_timeout))
}

/// Serves SQS's API until shutdown.
pub(crate) async fn serve(listener: TcpListener, service: Arc<RustackSqs>, shutdown: Shutdown) {
    let http = SqsHttpService::new(Arc::new(RustackSqsHandler::new(Arc::clone(&service))), SqsHttpConfig::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.begun() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let http = http.clone();
                connections.spawn(async move {
                    // A client that breaks off is no fault of this side.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), http).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "embedded SQS could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.shutdown().await;
    service.shutdown_all().await;
}
