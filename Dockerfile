# The image of a release is ghcr.io/watcher-digests/watcher. From a checkout: docker build --tag watcher .
FROM python:3.13-slim AS build
COPY . /src
RUN python -m venv --without-pip /opt/watcher \
    && pip --python /opt/watcher/bin/python install --no-cache-dir -c /src/constraints.txt '/src[semantic,translate,postgresql,apprise]'

FROM python:3.13-slim
COPY --from=build /opt/watcher /opt/watcher
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin watcher \
    && install -d -o watcher -g watcher -m 0700 /data
ENV PATH=/opt/watcher/bin:$PATH WATCHER_CONFIG=/data/settings.toml XDG_STATE_HOME=/data
WORKDIR /data
VOLUME /data
USER watcher
HEALTHCHECK --interval=1m --timeout=15s --start-period=1m CMD ["watcher", "status", "--alive"]
ENTRYPOINT ["watcher"]
CMD ["run"]
