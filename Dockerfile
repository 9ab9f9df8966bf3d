# Readonce as a container: docs/deploy.md says how it is built and run.
FROM python:3.12-slim-bookworm

# The compiler makes native code for the machine that the container runs on: reading and answering get several times faster.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ curl \
    && rm -rf /var/lib/apt/lists/*

# More options for pip, such as the index that pytorch.org names for its CPU build, which is gigabytes smaller.
ARG PIP_OPTIONS=""
WORKDIR /readonce
COPY requirements.txt .
RUN pip install --no-cache-dir ${PIP_OPTIONS} -r requirements.txt
COPY . .

RUN useradd --create-home --uid 1000 readonce && mkdir /data && chown readonce /data
USER readonce
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    READONCE_CACHE=/data/cache \
    READONCE_LIBRARY=/data/library \
    READONCE_USERS=/data/users.json \
    READONCE_LOG=json \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --start-period=5m CMD curl -fsS http://127.0.0.1:7860/healthz
CMD ["python", "app.py"]
