CREATE TABLE articles (
  id TEXT NOT NULL,
  feed_id INTEGER NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  outlet TEXT NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  country TEXT,
  section TEXT,
  owner TEXT,
  authors JSON NOT NULL,
  agency TEXT,
  dateline TEXT,
  image TEXT,
  kind TEXT NOT NULL,
  from_feed BOOLEAN NOT NULL,
  feed_reason TEXT,
  is_truncated BOOLEAN NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
  day INTEGER DEFAULT '0' NOT NULL,
  via TEXT,
  CONSTRAINT pk_articles PRIMARY KEY (id)
);
CREATE INDEX ix_articles_feed_id ON articles (feed_id);
CREATE INDEX ix_articles_fetched_at ON articles (fetched_at);
CREATE INDEX ix_articles_published_at ON articles (published_at);
CREATE TABLE meta (
  name TEXT NOT NULL,
  value JSON NOT NULL,
  CONSTRAINT pk_meta PRIMARY KEY (name)
);
CREATE TABLE feeds (
  id SERIAL NOT NULL,
  source_url TEXT NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  name TEXT NOT NULL,
  language TEXT,
  country TEXT,
  section TEXT,
  owner TEXT,
  owner_kind TEXT,
  tags JSON NOT NULL,
  every_s FLOAT,
  full_text BOOLEAN NOT NULL,
  etag TEXT,
  last_modified TEXT,
  next_poll_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_polled_at TIMESTAMP WITH TIME ZONE,
  last_read_at TIMESTAMP WITH TIME ZONE,
  last_new_at TIMESTAMP WITH TIME ZONE,
  failures INTEGER NOT NULL,
  failing_since TIMESTAMP WITH TIME ZONE,
  reason TEXT,
  faults JSON NOT NULL,
  moved_to TEXT,
  moved_seen INTEGER NOT NULL,
  gone BOOLEAN NOT NULL,
  interval_s FLOAT,
  max_age_s FLOAT,
  has_no_dates BOOLEAN NOT NULL,
  skip_hours JSON NOT NULL,
  skip_days JSON NOT NULL,
  body_hash TEXT,
  took_s FLOAT,
  gap_s FLOAT,
  health TEXT,
  health_at TIMESTAMP WITH TIME ZONE,
  unchanged_polls INTEGER DEFAULT '0' NOT NULL,
  site TEXT,
  is_cut BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_feeds PRIMARY KEY (id),
  CONSTRAINT uq_feeds_source_url UNIQUE (source_url)
);
CREATE INDEX ix_feeds_host ON feeds (host);
CREATE INDEX ix_feeds_next_poll_at ON feeds (next_poll_at);
CREATE TABLE pins (
  article_id TEXT NOT NULL,
  pinned_by TEXT NOT NULL,
  CONSTRAINT pk_pins PRIMARY KEY (article_id, pinned_by)
);
CREATE INDEX ix_pins_pinned_by ON pins (pinned_by);
CREATE TABLE hosts (
  host TEXT NOT NULL,
  lease_by TEXT,
  lease_until TIMESTAMP WITH TIME ZONE,
  blocked_until TIMESTAMP WITH TIME ZONE,
  last_request_at TIMESTAMP WITH TIME ZONE,
  robots_at TIMESTAMP WITH TIME ZONE,
  robots_status INTEGER,
  robots_rules BYTEA,
  CONSTRAINT pk_hosts PRIMARY KEY (host)
);
CREATE TABLE site_blocks (
  article_id TEXT NOT NULL,
  host TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  hashes BYTEA NOT NULL,
  CONSTRAINT pk_site_blocks PRIMARY KEY (article_id),
  CONSTRAINT fk_site_blocks_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE
);
CREATE INDEX ix_site_blocks_host_at ON site_blocks (host, at);
CREATE TABLE entries (
  feed_id INTEGER NOT NULL,
  guid TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  link TEXT,
  article_id TEXT NOT NULL,
  redirected_article_id TEXT,
  first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_entries PRIMARY KEY (feed_id, guid),
  CONSTRAINT fk_entries_feed_id_feeds FOREIGN KEY(feed_id) REFERENCES feeds (id) ON DELETE CASCADE
);
CREATE INDEX ix_entries_article_id ON entries (article_id);
CREATE INDEX ix_entries_feed_id_first_seen_at ON entries (feed_id, first_seen_at);
CREATE INDEX ix_entries_first_seen_at ON entries (first_seen_at);
CREATE TABLE features (
  article_id TEXT NOT NULL,
  version TEXT NOT NULL,
  payload BYTEA NOT NULL,
  vector BYTEA,
  vector_model TEXT,
  day INTEGER DEFAULT '0' NOT NULL,
  CONSTRAINT pk_features PRIMARY KEY (article_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE features_rest PARTITION OF features DEFAULT;
CREATE INDEX ix_features_vector_model ON features (vector_model);
CREATE INDEX ix_features_version ON features (version);
CREATE TABLE health_changes (
  id BIGSERIAL NOT NULL,
  feed_id INTEGER NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  health TEXT NOT NULL,
  reason TEXT,
  CONSTRAINT pk_health_changes PRIMARY KEY (id),
  CONSTRAINT fk_health_changes_feed_id_feeds FOREIGN KEY(feed_id) REFERENCES feeds (id) ON DELETE CASCADE
);
CREATE INDEX ix_health_changes_feed_id_at ON health_changes (feed_id, at);
CREATE TABLE pages (
  article_id TEXT NOT NULL,
  feed_id INTEGER NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  entry JSON NOT NULL,
  added_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_try_at TIMESTAMP WITH TIME ZONE,
  tries INTEGER NOT NULL,
  reason TEXT,
  is_recheck BOOLEAN NOT NULL,
  CONSTRAINT pk_pages PRIMARY KEY (article_id),
  CONSTRAINT fk_pages_feed_id_feeds FOREIGN KEY(feed_id) REFERENCES feeds (id) ON DELETE CASCADE
);
CREATE INDEX ix_pages_is_recheck ON pages (article_id) WHERE is_recheck;
CREATE INDEX ix_pages_host_next_try_at ON pages (host, next_try_at);
CREATE INDEX ix_pages_next_try_at ON pages (next_try_at);
CREATE INDEX ix_pages_added_at ON pages (added_at);
CREATE TABLE polls (
  id BIGSERIAL NOT NULL,
  feed_id INTEGER NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  status TEXT NOT NULL,
  "new" INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  held_back INTEGER NOT NULL,
  took_s FLOAT NOT NULL,
  reason TEXT,
  unchanged_polls INTEGER DEFAULT '0' NOT NULL,
  CONSTRAINT pk_polls PRIMARY KEY (id),
  CONSTRAINT fk_polls_feed_id_feeds FOREIGN KEY(feed_id) REFERENCES feeds (id) ON DELETE CASCADE
);
CREATE INDEX ix_polls_feed_id_at ON polls (feed_id, at);
CREATE TABLE revisions (
  id BIGSERIAL NOT NULL,
  article_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  text BYTEA NOT NULL,
  CONSTRAINT pk_revisions PRIMARY KEY (id),
  CONSTRAINT fk_revisions_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE
);
CREATE INDEX ix_revisions_article_id ON revisions (article_id);
CREATE INDEX ix_revisions_at ON revisions (at);
CREATE TABLE search_documents (
  number BIGSERIAL NOT NULL,
  article_id TEXT NOT NULL,
  CONSTRAINT pk_search_documents PRIMARY KEY (number),
  CONSTRAINT uq_search_documents_article_id UNIQUE (article_id),
  CONSTRAINT fk_search_documents_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE
);
CREATE TABLE texts (
  article_id TEXT NOT NULL,
  text BYTEA NOT NULL,
  removed BYTEA NOT NULL,
  day INTEGER DEFAULT '0' NOT NULL,
  CONSTRAINT pk_texts PRIMARY KEY (article_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE texts_rest PARTITION OF texts DEFAULT;
CREATE TABLE article_words (
  article_id TEXT NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  words TSVECTOR NOT NULL,
  CONSTRAINT pk_article_words PRIMARY KEY (article_id),
  CONSTRAINT fk_article_words_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE
);
CREATE INDEX ix_article_words_published_at ON article_words (published_at);
CREATE INDEX ix_article_words_words ON article_words USING gin (words);
