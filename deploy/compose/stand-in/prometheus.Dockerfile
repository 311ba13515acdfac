# Stands in for the public Prometheus image on machines without a container registry: Debian's Prometheus under the same tag.
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/* \
  && ln -sf /bin/busybox /usr/local/bin/wget && install -d -o nobody /prometheus /etc/prometheus
USER nobody
ENTRYPOINT ["prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
