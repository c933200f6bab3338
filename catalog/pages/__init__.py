"""The pages people see: server-rendered, complete without JavaScript, each behind a login."""
