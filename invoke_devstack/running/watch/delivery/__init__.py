"""Brings changes into the containers of a service. Entry: `service_queue.ServiceQueue`, which takes what a
batch asks for and runs it in order: files through `service_sync` and `sync_container`, rebuilds through
`watch.replacement`.
"""
