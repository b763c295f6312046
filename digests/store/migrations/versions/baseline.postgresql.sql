CREATE TABLE corrections (
  id SERIAL NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind TEXT NOT NULL,
  articles JSON NOT NULL,
  others JSON NOT NULL,
  description TEXT NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_corrections PRIMARY KEY (id)
);
CREATE TABLE deliveries (
  id SERIAL NOT NULL,
  digest TEXT NOT NULL,
  local_date DATE NOT NULL,
  slot TEXT,
  about TEXT,
  rule TEXT,
  failure TEXT,
  failure_at TIMESTAMP WITH TIME ZONE,
  is_over BOOLEAN,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
  give_up_at TIMESTAMP WITH TIME ZONE NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  response TEXT NOT NULL,
  hint TEXT,
  lease_by TEXT,
  lease_until TIMESTAMP WITH TIME ZONE,
  payload BYTEA,
  CONSTRAINT pk_deliveries PRIMARY KEY (id),
  CONSTRAINT uq_deliveries_digest_local_date_slot_channel_recipient UNIQUE (digest, local_date, slot, channel, recipient),
  CONSTRAINT uq_deliveries_digest_local_date_about_rule_channel_recipient UNIQUE (digest, local_date, about, rule, channel, recipient),
  CONSTRAINT uq_deliveries_failure_failure_at_is_over_channel_recipient UNIQUE (failure, failure_at, is_over, channel, recipient)
);
CREATE INDEX ix_deliveries_state_next_try_at ON deliveries (state, next_try_at);
CREATE TABLE digests (
  name TEXT NOT NULL,
  first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_digests PRIMARY KEY (name)
);
CREATE TABLE editions (
  id SERIAL NOT NULL,
  digest TEXT NOT NULL,
  local_date DATE NOT NULL,
  slot TEXT NOT NULL,
  number INTEGER NOT NULL,
  window_start TIMESTAMP WITH TIME ZONE NOT NULL,
  window_end TIMESTAMP WITH TIME ZONE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE,
  claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  claimed_by TEXT NOT NULL,
  payload BYTEA,
  hashes JSON,
  CONSTRAINT pk_editions PRIMARY KEY (id),
  CONSTRAINT uq_editions_digest_local_date_slot UNIQUE (digest, local_date, slot)
);
CREATE TABLE follows (
  story_id TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_follows PRIMARY KEY (story_id)
);
CREATE TABLE clustering_runs (
  id SERIAL NOT NULL,
  version INTEGER NOT NULL,
  until TIMESTAMP WITH TIME ZONE,
  made_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_clustering_runs PRIMARY KEY (id)
);
CREATE TABLE stories (
  id TEXT NOT NULL,
  thread TEXT NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  size INTEGER NOT NULL,
  first_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  began_at TIMESTAMP WITH TIME ZONE NOT NULL,
  merged_ids JSON NOT NULL,
  merged_into TEXT,
  profile BYTEA,
  vector BYTEA,
  vector_model TEXT,
  CONSTRAINT pk_stories PRIMARY KEY (id)
);
CREATE INDEX ix_stories_last_at ON stories (last_at);
CREATE INDEX ix_stories_thread ON stories (thread);
CREATE TABLE story_articles (
  article_id TEXT NOT NULL,
  story_id TEXT NOT NULL,
  report TEXT NOT NULL,
  agency TEXT,
  nearest TEXT,
  evidence JSON,
  CONSTRAINT pk_story_articles PRIMARY KEY (article_id)
);
CREATE INDEX ix_story_articles_story_id ON story_articles (story_id);
CREATE TABLE story_changes (
  id BIGSERIAL NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind TEXT NOT NULL,
  story_id TEXT NOT NULL,
  other_id TEXT NOT NULL,
  articles JSON NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_story_changes PRIMARY KEY (id)
);
CREATE INDEX ix_story_changes_other_id ON story_changes (other_id);
CREATE INDEX ix_story_changes_story_id ON story_changes (story_id);
CREATE TABLE translations (
  key TEXT NOT NULL,
  text TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_translations PRIMARY KEY (key)
);
CREATE INDEX ix_translations_made_at ON translations (made_at);
INSERT INTO clustering_runs (id, version) VALUES (1, 0);
