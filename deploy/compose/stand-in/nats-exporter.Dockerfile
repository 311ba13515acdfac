# Stands in for the public image of prometheus-nats-exporter on machines without a container registry: the metrics that alerts
# and dashboards ask for, under the names and labels of the original. The context is this folder.
FROM node:22-bookworm-slim
COPY nats-exporter.mjs /
USER 1000:1000
ENTRYPOINT ["node", "/nats-exporter.mjs"]
