# The worker image: `interplay worker ROLE`, `interplay init`, `interplay status`. No secrets in it; settings come from INTERPLAY_* variables.
# Not in it: the embedded broker and chDB, which only `make demo` and tests use.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/interplay
ENV PATH=/opt/interplay/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=/src/requirements.lock
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY models ./models
COPY streams ./streams
COPY scenarios ./scenarios
RUN pip install .

FROM python:3.11.14-slim-bookworm
RUN groupadd --system --gid 10001 interplay \
 && useradd --system --uid 10001 --gid interplay --no-create-home --home-dir /var/lib/interplay interplay \
 && install -d -o interplay -g interplay /var/lib/interplay
COPY --from=build /opt/interplay /opt/interplay
ENV PATH=/opt/interplay/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    INTERPLAY_WORKER__DATA_DIR=/var/lib/interplay HEALTH_PORT=8600
USER 10001:10001
WORKDIR /var/lib/interplay
# Roles listen on 8600 (reduce), 8601 (analyze), 8602 (store), 8603 (alert); whoever runs another role than reduce sets HEALTH_PORT.
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['HEALTH_PORT']}/health\", timeout=4)"]
ENTRYPOINT ["interplay"]
CMD ["worker"]
