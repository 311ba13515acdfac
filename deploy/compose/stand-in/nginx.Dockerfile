# Stands in for the public nginx image on machines without a container registry: Debian's nginx under the same tag.
# The context is this folder.
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/* \
  && ln -sf /bin/busybox /usr/local/bin/wget
CMD ["nginx", "-g", "daemon off;"]
